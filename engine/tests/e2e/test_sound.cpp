#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "e2e/support.h"

using e2e::clip;
using e2e::json;

namespace {

/// Time of the first sample louder than `level`.
double onset_s(const std::vector<float>& samples, float level) {
  const auto found = std::find_if(samples.begin(), samples.end(),
                                  [level](float sample) { return std::abs(sample) > level; });
  REQUIRE(found != samples.end());
  return static_cast<double>(found - samples.begin()) / 48'000;
}

double loudest(const std::vector<float>& samples, double from_s, double to_s) {
  double peak = 0;
  for (auto n = static_cast<size_t>(from_s * 48'000);
       n < std::min(samples.size(), static_cast<size_t>(to_s * 48'000)); ++n) {
    peak = std::max(peak, static_cast<double>(std::abs(samples[n])));
  }
  return peak;
}

void check_flash_meets_beep(const std::string& name, double margin_s) {
  CAPTURE(name);
  const auto ladder = e2e::transcode(clip(name), e2e::scratch("sync-" + name));
  const double beep_s = onset_s(e2e::samples(e2e::join(ladder.folder, "audio-0"), 0), 0.1F);
  const auto luma = e2e::mean_luma(e2e::join(ladder.folder, "120p"));
  const auto flash = std::find_if(luma.begin(), luma.end(), [](double mean) { return mean > 120; });
  REQUIRE(flash != luma.end());
  const double flash_s = static_cast<double>(flash - luma.begin()) / 25;
  CHECK(flash_s == Approx(1.0).margin(1e-9));
  CHECK(beep_s == Approx(flash_s).margin(margin_s));
}

}  // namespace

TEST_CASE("flash and beep come together when the source is in sync") {
  check_flash_meets_beep("flash.mp4", 0.010);
  check_flash_meets_beep("flash.ts", 0.040);
  check_flash_meets_beep("flash.avi", 0.040);
}

TEST_CASE("sound starts with silence when it starts late") {
  const auto ladder = e2e::transcode(clip("late_audio.mkv"), e2e::scratch("late_audio"));
  const auto samples = e2e::samples(e2e::join(ladder.folder, "audio-0"), 0);
  CHECK(loudest(samples, 0.0, 0.45) < 0.01);
  CHECK(loudest(samples, 0.6, 0.8) > 0.05);
}

TEST_CASE("the sound before the picture is cut when the picture starts late") {
  const auto late = e2e::transcode(clip("late_video.mp4"), e2e::scratch("late_video"));
  const auto facts = e2e::stream_facts(e2e::join(late.folder, "audio-0"));
  CHECK(std::stod(facts.at("start_time").get<std::string>()) == 0.0);
  CHECK(loudest(e2e::samples(e2e::join(late.folder, "audio-0"), 0), 0.05, 0.2) > 0.05);
  CHECK(late.finished.last().at("frames") == 75);
}

TEST_CASE("missing sound is silence when the source has a hole") {
  const auto ladder = e2e::transcode(clip("gap.mkv"), e2e::scratch("gap"));
  const auto samples = e2e::samples(e2e::join(ladder.folder, "audio-0"), 0);
  CHECK(loudest(samples, 0.3, 0.45) > 0.05);
  CHECK(loudest(samples, 0.56, 0.94) < 0.01);
  CHECK(loudest(samples, 1.1, 1.9) > 0.05);
}

TEST_CASE("the centre is heard on both sides when 5.1 becomes stereo") {
  const auto ladder = e2e::transcode(clip("centre.mkv"), e2e::scratch("centre"));
  const auto joined = e2e::join(ladder.folder, "audio-0");
  const double left = loudest(e2e::samples(joined, 0), 0.3, 0.7);
  const double right = loudest(e2e::samples(joined, 1), 0.3, 0.7);
  CHECK(left == Approx(0.5 * M_SQRT1_2).epsilon(0.08));
  CHECK(right == Approx(left).epsilon(0.05));
}

TEST_CASE("audio segments follow the video's grid when cut") {
  const auto ladder = e2e::transcode(clip("base.mp4"), e2e::scratch("audio_grid"));
  double position_s = 0;
  const auto events = ladder.finished.of_type("segment");
  for (const json& event : events) {
    if (event.at("rendition") != "audio-0") continue;
    const double grid_s = event.at("index").get<double>();
    CHECK(position_s == Approx(grid_s).margin(1024.0 / 48'000 / 2 + 1e-9));
    const json& duration = event.at("duration");
    position_s += duration.at("num").get<double>() / duration.at("den").get<double>();
  }
  CHECK(position_s == Approx(3.0).margin(0.03));
  const auto list = e2e::packets(e2e::join(ladder.folder, "audio-0"));
  for (size_t n = 0; n < list.size(); ++n) {
    CHECK(list[n].pts_s == Approx(static_cast<double>(n) * 1024 / 48'000).margin(1e-4));
  }
}

TEST_CASE("there is no audio track when the source is silent") {
  const auto ladder = e2e::transcode(clip("silent.mp4"), e2e::scratch("silent"));
  const auto bytes = e2e::read_file(ladder.folder / "master.m3u8");
  CHECK(std::string(bytes.begin(), bytes.end()).find("AUDIO") == std::string::npos);
}
