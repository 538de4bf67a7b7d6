#include "media/webvtt.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "millrace/engine.h"

using namespace millrace::media;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

namespace {

constexpr const char* kHead = "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n";

Cue cue(int64_t start_ms, int64_t end_ms, const std::string& text) {
  return {start_ms, end_ms, {text, false}};
}

/// Nine seconds at 25 frames a second, segments of four.
struct Made {
  explicit Made(const std::vector<Cue>& cues) {
    Plan plan;
    plan.duration_s = 9;
    SubtitlePlan subtitles;
    subtitles.name = "sub";
    WebVttSegmenter segmenter(subtitles, plan, output, listener);
    for (const Cue& each : cues) segmenter.add(each);
    segmenter.finish();
  }
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;
  ~Made() { fs::remove_all(folder); }

  std::string text(const std::string& name) const {
    std::ostringstream content;
    content << std::ifstream(folder / "sub" / name).rdbuf();
    return content.str();
  }

  fs::path folder = fs::temp_directory_path() / ("millrace-webvtt-" + std::to_string(::getpid()));
  OutputFolder output{folder};
  std::vector<SegmentInfo> segments;
  TrackListener listener{[](const InitInfo&) {},
                         [this](const SegmentInfo& info) { segments.push_back(info); }};
};

}  // namespace

TEST_CASE("a cue is in every segment it is shown in when it spans borders") {
  const Made made({cue(8000, 9000, "end"), cue(3999, 8000, "long"), cue(0, 4000, "first")});
  const std::string first = "\n00:00:00.000 --> 00:00:04.000\nfirst\n";
  const std::string long_one = "\n00:00:03.999 --> 00:00:08.000\nlong\n";
  const std::string end = "\n00:00:08.000 --> 00:00:09.000\nend\n";
  CHECK(made.text("00000.vtt") == kHead + first + long_one);
  CHECK(made.text("00001.vtt") == kHead + long_one);
  CHECK(made.text("00002.vtt") == kHead + end);
  CHECK(made.text("subtitles.vtt") == "WEBVTT\n" + first + long_one + end);
}

TEST_CASE("segments lie on the video's grid when there is no cue at all") {
  const Made made({});
  REQUIRE(made.segments.size() == 3);
  CHECK(av_cmp_q(made.segments[0].duration, {4, 1}) == 0);
  CHECK(av_cmp_q(made.segments[2].duration, {1, 1}) == 0);
  CHECK(made.text("00001.vtt") == kHead);
}

TEST_CASE("cues outside of the video are cut off when there are some") {
  const Made made({cue(-2000, -1, "before"), cue(-2000, 500, "into"), cue(8500, 99'000, "out"),
                   cue(9000, 9500, "after"), cue(700, 700, "never")});
  CHECK(made.text("subtitles.vtt") ==
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.500\ninto\n\n00:00:08.500 --> 00:00:09.000\nout\n");
}

TEST_CASE("a cue lasts until the next when nobody says how long") {
  const Made made({cue(1000, Cue::kOpenEnd, "a"), cue(1000, Cue::kOpenEnd, "b"),
                   cue(2000, Cue::kOpenEnd, "c")});
  CHECK(made.text("subtitles.vtt") ==
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\na\n\n00:00:01.000 --> 00:00:02.000\nb\n"
        "\n00:00:02.000 --> 00:00:09.000\nc\n");
}

TEST_CASE("work ends with a limit when cues would fill the disk") {
  const std::vector<Cue> cues(20, cue(0, 9000, std::string(2 << 20, 'x')));
  CHECK_THROWS_AS(Made(cues), millrace::EngineError);
}
