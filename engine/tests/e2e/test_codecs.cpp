/// HEVC and AV1 beside H.264: the same grid, sound samples, and names that tell what is inside.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <csignal>
#include <map>

#include "e2e/support.h"

using e2e::clip;
using e2e::json;

namespace {

/// A rendition of each codec, all of one size.
json plan_of_all(const std::string& source, int short_side) {
  json plan = e2e::plan_for(source, {short_side, short_side, short_side});
  json& renditions = plan.at("video").at("renditions");
  renditions[1].merge_patch({{"codec", "hevc"}, {"crf", 26}, {"level", "2.1"}});
  renditions[2].merge_patch({{"codec", "av1"}, {"crf", 35}, {"level", "2.1"}});
  for (json& rendition : renditions) {
    rendition["name"] = rendition.at("codec");
    if (rendition.at("codec") != "h264") rendition["profile"] = "main";
  }
  return plan;
}

const std::vector<std::string> kTracks = {"h264", "hevc", "av1"};

/// One ladder for the tests that only look.
const e2e::Ladder& ladder() {
  static const e2e::Ladder kMade = e2e::transcode_with(clip("base.mp4"), e2e::scratch("codecs"),
                                                       plan_of_all(clip("base.mp4"), 240));
  return kMade;
}

std::map<std::string, std::string> codecs_of(const e2e::Ladder& made) {
  std::map<std::string, std::string> names;
  for (const json& event : made.finished.of_type("init")) {
    names[event.at("rendition")] = event.at("codecs");
  }
  return names;
}

}  // namespace

TEST_CASE("every codec shows every frame on one grid when a ladder has several") {
  for (const std::string& track : kTracks) {
    CAPTURE(track);
    const auto joined = e2e::join(ladder().folder, track);
    const json facts = e2e::stream_facts(joined);
    CHECK(facts.at("codec_name") == track);
    CHECK(facts.at("nb_read_frames") == "75");
    CHECK(std::stod(facts.at("start_time").get<std::string>()) == 0.0);
    CHECK(facts.at("pix_fmt") == "yuv420p");
    CHECK(facts.at("color_space") == "smpte170m");
    CHECK(e2e::segments(ladder().folder, track).size() == 3);
    std::vector<long> slots;
    for (const auto& packet : e2e::packets(joined)) {
      slots.push_back(std::lround(packet.pts_s * 25));
      CHECK(packet.key == (slots.back() % 25 == 0));
    }
    if (track == "av1") CHECK(std::is_sorted(slots.begin(), slots.end()));
    std::sort(slots.begin(), slots.end());
    REQUIRE(slots.size() == 75);
    for (long n = 0; n < 75; ++n) CHECK(slots[static_cast<size_t>(n)] == n);
  }
}

TEST_CASE("the picture is the source's when it was coded with any codec") {
  for (const std::string& track : kTracks) {
    CAPTURE(track);
    CHECK(e2e::psnr(e2e::join(ladder().folder, track), clip("base.mp4")) > 32);
  }
}

TEST_CASE("the name says what ffprobe finds when a stream is looked at") {
  const auto names = codecs_of(ladder());
  const auto facts = [](const std::string& track) {
    return e2e::stream_facts(e2e::join(ladder().folder, track));
  };
  CHECK(names.at("h264") == "avc1.64001e");
  CHECK(names.at("hevc") == "hvc1.1.6.L63.90");  // 30 × 2.1
  CHECK(facts("hevc").at("codec_tag_string") == "hvc1");
  CHECK(facts("hevc").at("profile") == "Main");
  CHECK(facts("hevc").at("level") == 63);
  CHECK(names.at("av1") == "av01.0.01M.08.0.110.06.06.06.0");  // the colours are BT.601's
  CHECK(facts("av1").at("codec_tag_string") == "av01");
  CHECK(facts("av1").at("profile") == "Main");
  CHECK(facts("av1").at("level") == 1);  // 4 × (2 − 2) + 1
}

TEST_CASE(
    "ffmpeg plays playlists and manifest without complaint when a ladder has several codecs") {
  for (const char* file : {"master.m3u8", "manifest.mpd"}) {
    const auto played = e2e::run({"ffmpeg", "-v", "error", "-xerror", "-i", ladder().folder / file,
                                  "-map", "0", "-f", "null", "-"});
    CAPTURE(file, played.log);
    CHECK(played.exit_code == 0);
    CHECK(played.log.empty());
  }
}

TEST_CASE("chunks made alone have the bytes of the whole when there are several codecs") {
  const json plan = plan_of_all(clip("base.mp4"), 240);
  const auto parts = e2e::scratch("codecs-parts");
  for (const char* chunk : {"2", "0", "1"}) {
    e2e::transcode_with(clip("base.mp4"), parts, plan, {"--chunk", chunk, "--threads", "1"});
    for (const std::string& track : kTracks) {
      CHECK((e2e::read_file(parts / track / "init.mp4") ==
             e2e::read_file(ladder().folder / track / "init.mp4")));
    }
  }
  for (const std::string& track : kTracks) {
    CAPTURE(track);
    CHECK((e2e::read_file(e2e::join(parts, track)) ==
           e2e::read_file(e2e::join(ladder().folder, track))));
  }
}

TEST_CASE("the cap holds when the quality would cost more") {
  json plan = plan_of_all(clip("base.mp4"), 240);
  for (json& rendition : plan.at("video").at("renditions")) {
    rendition["crf"] = 10;
    rendition["maxrate_bps"] = 300'000;
    rendition["bufsize_bits"] = 450'000;
  }
  const auto capped = e2e::transcode_with(clip("base.mp4"), e2e::scratch("codecs-cap"), plan);
  for (const json& track : capped.finished.last().at("renditions")) {
    CAPTURE(track);
    CHECK(track.at("average_bps") < 300'000 + 450'000 / 3);  // the buffer once in three seconds
    CHECK(track.at("average_bps") > 100'000);
  }
}

TEST_CASE("HEVC takes the bits it is given when the rate is average or constant") {
  for (const char* mode : {"abr", "cbr"}) {
    CAPTURE(mode);
    json plan = plan_of_all(clip("base.mp4"), 240);
    json& renditions = plan.at("video").at("renditions");
    renditions = json::array({renditions.at(1)});
    renditions[0].merge_patch(
        {{"rate_control", mode}, {"bitrate_bps", 300'000}, {"maxrate_bps", 400'000}});
    plan["chunk_segments"] = 3;
    plan["chunk_count"] = 1;
    const auto made = e2e::transcode_with(clip("base.mp4"), e2e::scratch("codecs-rate"), plan);
    const json track = made.finished.last().at("renditions").at(0);
    CAPTURE(track);
    CHECK(track.at("average_bps") > 200'000);
    CHECK(track.at("average_bps") < 450'000);
  }
}

TEST_CASE("an analysis is refused when a rendition is not H.264") {
  const auto folder = e2e::scratch("codecs-analyse");
  const auto plan = e2e::save_plan(plan_of_all(clip("base.mp4"), 240), folder);
  const auto refused = e2e::engine({"analyse", clip("base.mp4"), "--plan", plan});
  CHECK(refused.exit_code == 2);
  CHECK(refused.log.find("hevc is not h264") != std::string::npos);
}

TEST_CASE("the smallest and odd sizes decode to themselves when HEVC and AV1 take them") {
  json plan = plan_of_all(clip("one_frame.mp4"), 64);
  for (json& rendition : plan.at("video").at("renditions")) rendition["width"] = 86;
  const auto made = e2e::transcode_with(clip("one_frame.mp4"), e2e::scratch("codecs-small"), plan);
  for (const std::string& track : kTracks) {
    const json facts = e2e::stream_facts(e2e::join(made.folder, track));
    CHECK(facts.at("width") == 86);
    CHECK(facts.at("height") == 64);
    CHECK(facts.at("nb_read_frames") == "1");
  }
}

TEST_CASE("the engine stops at once when it is told to while it codes AV1") {
  const auto folder = e2e::scratch("codecs-stop");
  const json plan = plan_of_all(clip("base.mp4"), 240);
  const auto stopped = e2e::engine_signalled(
      {"transcode", clip("base.mp4"), "--plan", e2e::save_plan(plan, folder), "--output", folder},
      SIGTERM);
  CHECK(stopped.exit_code == 128 + SIGTERM);
}
