#include <catch2/catch.hpp>

#include "e2e/support.h"

using e2e::clip;
using e2e::json;

namespace {

/// The plan of a source with all of its subtitles.
json plan_of(const std::string& source) {
  json plan = e2e::plan_for(source);
  plan["subtitles"] = json::array();
  const json facts = e2e::engine({"probe", source}).last();
  for (const json& track : facts.at("subtitles")) {
    if (!track.at("text").get<bool>()) continue;
    plan["subtitles"].push_back({{"name", "text-" + std::to_string(plan["subtitles"].size())},
                                 {"stream", track.at("stream")},
                                 {"language", track.at("language")}});
  }
  return plan;
}

std::string text_of(const e2e::fs::path& file) {
  const auto bytes = e2e::read_file(file);
  return {bytes.begin(), bytes.end()};
}

std::string whole(const std::string& name, const std::string& track = "text-0") {
  const auto ladder =
      e2e::transcode_with(clip(name), e2e::scratch("subtitles-" + name), plan_of(clip(name)));
  return text_of(ladder.folder / track / "subtitles.vtt");
}

constexpr const char* kCues =
    "WEBVTT\n\n00:00:00.500 --> 00:00:01.500\n<b>Bold</b> &amp; plain\n"
    "\n00:00:01.800 --> 00:00:02.600\nSecond\n";

}  // namespace

TEST_CASE("subtitles of every text format become the same cues when they say the same") {
  CHECK(whole("subtitles.mkv", "text-0") == kCues);
  CHECK(whole("subtitles.mkv", "text-1") == kCues);
  CHECK(whole("subtitles.mkv", "text-2") == kCues);
  CHECK(whole("subtitles.mp4").find("00:00:00.500 --> 00:00:01.500\n") != std::string::npos);
}

TEST_CASE("subtitles keep their place by the picture when the video starts late") {
  CHECK(whole("subtitles_late.mkv").find("00:00:00.100 --> 00:00:01.100") != std::string::npos);
  CHECK(whole("subtitles_late.mp4").find("00:00:00.100 --> 00:00:01.100") != std::string::npos);
}

TEST_CASE("a track made alone equals the one of a whole pass when it is asked for") {
  const std::string source = clip("subtitles.mkv");
  const json plan = plan_of(source);
  const auto all = e2e::transcode_with(source, e2e::scratch("subtitles_all"), plan);
  const auto one =
      e2e::transcode_with(source, e2e::scratch("subtitles_one"), plan, {"--subtitles", "1"});
  CHECK_FALSE(e2e::fs::exists(one.folder / "text-0"));
  CHECK_FALSE(e2e::fs::exists(one.folder / "120p"));
  for (const char* name : {"subtitles.vtt", "00000.vtt", "00001.vtt", "00002.vtt"}) {
    CHECK(text_of(one.folder / "text-1" / name) == text_of(all.folder / "text-1" / name));
  }
  CHECK(one.finished.of_type("segment").size() == 3);
  CHECK(one.finished.last().at("subtitles").at(0).at("segments") == 3);
}

TEST_CASE("pictures are left out with a warning when they are subtitles") {
  const json facts = e2e::engine({"probe", clip("subtitles_bitmap.mkv")}).last();
  CHECK(facts.at("subtitles").at(0).at("text") == false);
  CHECK(facts.at("warnings").at(0).at("code") == "SUBTITLES_UNSUPPORTED");
}

TEST_CASE("work ends at once when the plan's subtitles are none") {
  json plan = plan_of(clip("subtitles.mkv"));
  plan["subtitles"][0]["stream"] = 0;
  const auto folder = e2e::scratch("subtitles_wrong");
  const auto finished =
      e2e::engine({"transcode", clip("subtitles.mkv"), "--plan", e2e::save_plan(plan, folder),
                   "--output", folder, "--subtitles", "0"});
  CHECK(finished.exit_code == 5);
  CHECK(finished.last().at("code") == "SOURCE_CHANGED");
  CHECK(e2e::engine({"transcode", clip("subtitles.mkv"), "--plan", folder / "plan.json", "--output",
                     folder, "--subtitles", "3"})
            .exit_code == 2);
}
