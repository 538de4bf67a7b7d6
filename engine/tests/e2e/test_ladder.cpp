#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <set>

#include "e2e/support.h"

using e2e::clip;
using e2e::json;

namespace {

/// Transcodes every chunk and every audio entry by itself into one folder.
void transcode_in_parts(const std::string& source, const e2e::fs::path& folder, const json& plan) {
  for (int chunk = plan.at("chunk_count").get<int>() - 1; chunk >= 0; --chunk) {
    const auto before = e2e::fs::exists(folder / "120p/init.mp4")
                            ? e2e::read_file(folder / "120p/init.mp4")
                            : std::vector<uint8_t>{};
    e2e::transcode_with(source, folder, plan, {"--chunk", std::to_string(chunk)});
    const auto after = e2e::read_file(folder / "120p/init.mp4");
    CHECK((before.empty() || before == after));
  }
  for (size_t audio = 0; audio < plan.at("audio").size(); ++audio) {
    e2e::transcode_with(source, folder, plan, {"--audio", std::to_string(audio)});
  }
}

void check_parts_equal_whole(const std::string& name) {
  CAPTURE(name);
  // Two segments a chunk: what the larger rendition learns in the first counts in the second.
  json plan = e2e::plan_for(clip(name), {240, 120});
  const int segments = plan.at("chunk_count").get<int>();
  REQUIRE(segments >= 3);
  plan["chunk_segments"] = 2;
  plan["head_segments"] = 1;
  plan["chunk_count"] = 1 + segments / 2;
  const auto whole = e2e::transcode_with(clip(name), e2e::scratch("whole-" + name), plan).folder;
  const auto parts = e2e::scratch("parts-" + name);
  transcode_in_parts(clip(name), parts, plan);
  std::vector<std::string> tracks = {"240p", "120p"};
  if (!plan.at("audio").empty()) tracks.push_back("audio-0");
  for (const std::string& track : tracks) {
    CHECK(e2e::read_file(whole / track / "init.mp4") == e2e::read_file(parts / track / "init.mp4"));
    const auto left = e2e::segments(whole, track);
    const auto right = e2e::segments(parts, track);
    REQUIRE(left.size() == right.size());
    for (size_t n = 0; n < left.size(); ++n) CHECK(left[n].filename() == right[n].filename());
    CHECK(e2e::differing_frames(e2e::join(whole, track), e2e::join(parts, track)) == 0);
  }
  const auto list = e2e::packets(e2e::join(parts, "120p"));
  for (size_t n = 1; n < list.size(); ++n) {
    CHECK(list[n].dts_s - list[n - 1].dts_s == Approx(list[0].duration_s).margin(1e-5));
  }
}

}  // namespace

TEST_CASE("all renditions share the segment grid when a ladder is made") {
  const auto ladder = e2e::transcode(clip("base.mp4"), e2e::scratch("grid"), {240, 120});
  for (const std::string track : {"240p", "120p"}) {
    const auto files = e2e::segments(ladder.folder, track);
    REQUIRE(files.size() == 3);
    const auto list = e2e::packets(e2e::join(ladder.folder, track));
    REQUIRE(list.size() == 75);
    for (size_t n = 0; n < list.size(); ++n) {
      CHECK(list[n].key == (n % 25 == 0));  // an IDR starts each segment, and only there
      if (list[n].key) CHECK(list[n].pts_s == Approx(static_cast<double>(n) / 25).margin(1e-5));
    }
    std::set<long> slots;
    for (const auto& packet : list) slots.insert(std::lround(packet.pts_s * 25));
    CHECK(slots.size() == 75);
    CHECK(*slots.begin() == 0);
    CHECK(*slots.rbegin() == 74);
    const json facts = e2e::stream_facts(e2e::join(ladder.folder, track));
    CHECK(facts.at("nb_read_frames") == "75");
    CHECK(std::stod(facts.at("start_time").get<std::string>()) == 0.0);
    CHECK(facts.at("pix_fmt") == "yuv420p");
    CHECK(facts.at("profile") == "High");
    CHECK(facts.at("avg_frame_rate") == "25/1");
  }
  for (const json& event : ladder.finished.of_type("segment")) {
    CHECK(event.contains("iframe_bytes") == (event.at("rendition") != "audio-0"));
    if (event.at("rendition") == "audio-0") continue;
    CHECK(event.at("duration") == json({{"num", 25}, {"den", 25}}));
    CHECK(event.at("bytes") == e2e::fs::file_size(ladder.folder / event.at("path")));
  }
  const json result = ladder.finished.last();
  CHECK(result.at("type") == "result");
  CHECK(result.at("frames") == 75);
}

TEST_CASE("chunks made one by one equal the whole when the source has open GOPs") {
  check_parts_equal_whole("base.mp4");
}

TEST_CASE("chunks made one by one equal the whole when the rate varies") {
  check_parts_equal_whole("vfr.mkv");
}

TEST_CASE("chunks made one by one equal the whole when the source is Matroska") {
  check_parts_equal_whole("base.mkv");
}

TEST_CASE("a chunk after the source's end is empty when the duration was overestimated") {
  json plan = e2e::plan_for(clip("silent.mp4"));
  plan["chunk_count"] = 9;
  const auto ladder =
      e2e::transcode_with(clip("silent.mp4"), e2e::scratch("beyond"), plan, {"--chunk", "7"});
  CHECK(e2e::segments(ladder.folder, "120p").empty());
  CHECK(ladder.finished.last().at("frames") == 0);
}

TEST_CASE("playlists are complete and true when a whole file is made") {
  const auto ladder = e2e::transcode(clip("base.mp4"), e2e::scratch("playlists"), {240, 120});
  const auto bytes = e2e::read_file(ladder.folder / "master.m3u8");
  const std::string master(bytes.begin(), bytes.end());
  CHECK(master.find("CODECS=\"avc1.64001e,mp4a.40.2\"") != std::string::npos);
  CHECK(master.find("RESOLUTION=320x240,FRAME-RATE=25.000") != std::string::npos);
  CHECK(master.find("LANGUAGE=\"eng\"") != std::string::npos);
  // The declared peak covers every segment: all of them last one target duration.
  double audio_peak = 0;
  double video_peak = 0;
  for (const json& event : ladder.finished.of_type("segment")) {
    const json& duration = event.at("duration");
    const double seconds = duration.at("num").get<double>() / duration.at("den").get<double>();
    const double rate = event.at("bytes").get<double>() * 8 / seconds;
    if (seconds < 0.5) continue;
    if (event.at("rendition") == "audio-0") audio_peak = std::max(audio_peak, rate);
    if (event.at("rendition") == "240p") video_peak = std::max(video_peak, rate);
  }
  const auto at = master.find("BANDWIDTH=");
  CHECK(std::stod(master.substr(at + 10)) >= audio_peak + video_peak);
  const auto played = e2e::run(
      {"ffmpeg", "-v", "error", "-xerror", "-i", ladder.folder / "master.m3u8", "-f", "null", "-"});
  CHECK(played.exit_code == 0);
  CHECK(played.log.empty());
}

TEST_CASE("one picture is all there is when a segment is cut after its I-frame") {
  const auto ladder = e2e::transcode(clip("base.mp4"), e2e::scratch("iframes"), {240, 120});
  size_t checked = 0;
  for (const json& event : ladder.finished.of_type("segment")) {
    if (event.at("rendition") == "audio-0") continue;
    auto bytes =
        e2e::read_file(ladder.folder / event.at("rendition").get<std::string>() / "init.mp4");
    const auto segment = e2e::read_file(ladder.folder / event.at("path").get<std::string>());
    const auto length = event.at("iframe_bytes").get<std::ptrdiff_t>();
    REQUIRE(length < static_cast<std::ptrdiff_t>(segment.size()));
    bytes.insert(bytes.end(), segment.begin(), segment.begin() + length);
    e2e::write_file(ladder.folder / "iframe.mp4", {bytes.begin(), bytes.end()});
    const auto hashes = e2e::frame_hashes(ladder.folder / "iframe.mp4");
    const auto whole = e2e::frame_hashes(e2e::join(ladder.folder, event.at("rendition")));
    REQUIRE(hashes.size() == 1);
    CHECK(hashes[0] == whole.at(event.at("index").get<size_t>() * 25));
    ++checked;
  }
  CHECK(checked == 6);
}

TEST_CASE("the manifest is played without complaint when a whole file is made") {
  const auto ladder = e2e::transcode(clip("base.mp4"), e2e::scratch("manifest"), {240, 120});
  const auto played = e2e::run({"ffmpeg", "-v", "error", "-xerror", "-i",
                                ladder.folder / "manifest.mpd", "-map", "0", "-f", "null", "-"});
  CHECK(played.exit_code == 0);
  CHECK(played.log.empty());
}

TEST_CASE("one frame is a whole video when the source has one") {
  const auto ladder = e2e::transcode(clip("one_frame.mp4"), e2e::scratch("one_frame"));
  CHECK(ladder.finished.last().at("frames") == 1);
  CHECK(e2e::packets(e2e::join(ladder.folder, "120p")).size() == 1);
}

TEST_CASE("the rate is constant and nothing drifts when the source's rate varies") {
  const auto ladder = e2e::transcode(clip("vfr.mkv"), e2e::scratch("vfr"));
  const auto list = e2e::packets(e2e::join(ladder.folder, "120p"));
  for (const auto& packet : list) CHECK(packet.duration_s == Approx(1.0 / 60).margin(1e-4));
  CHECK(list.size() == Approx(178).margin(2));
}

TEST_CASE("the timeline starts at zero when the source's timestamps do not") {
  const auto offset = e2e::transcode(clip("offset.ts"), e2e::scratch("offset"));
  const auto plain = e2e::transcode(clip("base.ts"), e2e::scratch("no_offset"));
  CHECK(offset.finished.last().at("frames") == plain.finished.last().at("frames"));
  CHECK(e2e::differing_frames(e2e::join(offset.folder, "120p"), e2e::join(plain.folder, "120p")) ==
        0);
}

TEST_CASE("no segment is larger than the cap allows when quality alone would make it so") {
  json plan = e2e::plan_for(clip("base.mp4"), {240, 120});
  constexpr double kCap = 60'000;
  for (json& rendition : plan["video"]["renditions"]) {
    rendition["crf"] = 10;
    rendition["maxrate_bps"] = kCap;
    rendition["bufsize_bits"] = kCap;
  }
  plan["chunk_segments"] = 3;
  plan["chunk_count"] = 1;
  const auto ladder = e2e::transcode_with(clip("base.mp4"), e2e::scratch("capped"), plan);
  double bits = 0;
  for (const json& event : ladder.finished.of_type("segment")) {
    if (event.at("rendition") != "240p") continue;
    bits += event.at("bytes").get<double>() * 8;
    // One second of the cap, what the buffer held before, and the boxes.
    CHECK(event.at("bytes").get<double>() * 8 < 2 * kCap + 4'000);
  }
  CHECK(bits < 4 * kCap);
  CHECK(bits > 2 * kCap);
}

TEST_CASE("the average is what was asked for when a bit rate is") {
  const std::string mode = GENERATE("abr", "cbr");
  json plan = e2e::plan_for(clip("base.mp4"), {240, 120});
  for (json& rendition : plan["video"]["renditions"]) {
    rendition["rate_control"] = mode;
    rendition["bitrate_bps"] = 150'000;
    rendition["maxrate_bps"] = 225'000;
    rendition["bufsize_bits"] = 150'000;
  }
  plan["chunk_segments"] = 3;
  plan["chunk_count"] = 1;
  const auto ladder = e2e::transcode_with(clip("base.mp4"), e2e::scratch(mode), plan);
  for (const json& rendition : ladder.finished.last().at("renditions")) {
    CAPTURE(mode, rendition);
    CHECK(rendition.at("average_bps").get<double>() == Approx(150'000).epsilon(0.2));
  }
}

TEST_CASE("the bytes are the same whatever the memory held before") {
  const auto bytes_with = [](const char* filling) {
    // glibc fills what it hands out and takes back with bytes that follow from this.
    setenv("MALLOC_PERTURB_", filling, 1);
    const auto ladder = e2e::transcode(clip("base.mp4"), e2e::scratch("memory"), {240, 120});
    unsetenv("MALLOC_PERTURB_");
    return std::pair{e2e::read_file(e2e::join(ladder.folder, "240p")),
                     e2e::read_file(e2e::join(ladder.folder, "120p"))};
  };
  const auto first = bytes_with("1");
  for (const char* filling : {"50", "100", "150", "200", "250"}) {
    CHECK((bytes_with(filling) == first));
  }
}
