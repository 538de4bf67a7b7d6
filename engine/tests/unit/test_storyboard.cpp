#include <catch2/catch.hpp>
#include <cmath>
#include <sstream>

#include "media/frame_timing.h"
#include "media/storyboard.h"

using namespace millrace;         // NOLINT(google-build-using-namespace)
using namespace millrace::media;  // NOLINT(google-build-using-namespace)

namespace {

constexpr double kWide = 16.0 / 9;

StoryboardLayout layout_of(double duration_s, double key_frame_spacing_s = 2) {
  return lay_out(StoryboardOptions{}, duration_s, kWide, key_frame_spacing_s);
}

double to_seconds(const std::string& clock) {
  int hours = 0;
  int minutes = 0;
  double seconds = 0;
  char colon = 0;
  std::istringstream(clock) >> hours >> colon >> minutes >> colon >> seconds;
  return hours * 3600 + minutes * 60 + seconds;
}

}  // namespace

TEST_CASE("a storyboard stays within its sprites whatever the length") {
  for (const double duration_s : {0.0, 0.04, 1.0, 59.9, 600.0, 7201.3, 43'200.0, 1e7}) {
    CAPTURE(duration_s);
    const auto layout = layout_of(duration_s);
    CHECK(layout.sprites() <= 4);
    CHECK(layout.tiles >= 1);
    CHECK(layout.tiles * layout.interval_s > 0.9 * duration_s);
    CHECK((layout.tiles - 1) * layout.interval_s <= duration_s);
  }
}

TEST_CASE("the interval grows with the length and the key frames' distance") {
  CHECK(layout_of(5).interval_s == 0.5);
  CHECK(layout_of(600).interval_s == 2);
  CHECK(layout_of(600, 5).interval_s == 5);
  CHECK(layout_of(600, 60).interval_s == 10);
  CHECK(layout_of(7200).interval_s == 18);
  CHECK(layout_of(30, 30).interval_s == 1.5);  // too few key frames for the length: decoded
  StoryboardOptions options;
  options.interval_s = 1.25;
  CHECK(lay_out(options, 100, kWide, 2).interval_s == 1.25);
  CHECK(lay_out(options, 1000, kWide, 2).interval_s == 2.5);
}

TEST_CASE("tiles have even sides and the picture's shape") {
  CHECK(layout_of(10).tile.width == 160);
  CHECK(layout_of(10).tile.height == 90);
  const auto tall = lay_out(StoryboardOptions{}, 10, 1 / kWide, 0).tile;
  CHECK(tall.width == 52);
  CHECK(tall.height == 90);
}

TEST_CASE("cues follow each other without a gap from zero to the end") {
  for (const double duration_s : {0.5, 7.3, 3599.999, 40'000.0}) {
    CAPTURE(duration_s);
    const auto layout = layout_of(duration_s);
    std::istringstream lines(to_vtt(layout));
    std::string line;
    std::getline(lines, line);
    CHECK(line == "WEBVTT");
    double end_s = 0;
    int cues = 0;
    while (std::getline(lines, line)) {
      const auto arrow = line.find(" --> ");
      if (arrow == std::string::npos) continue;
      CHECK(to_seconds(line.substr(0, arrow)) == Approx(end_s).margin(1e-6));
      end_s = to_seconds(line.substr(arrow + 5));
      std::getline(lines, line);
      const int sprite = cues / 100;
      CHECK(line.rfind(sprite_path(sprite) + "#xywh=", 0) == 0);
      ++cues;
    }
    CHECK(cues == layout.tiles);
    CHECK(end_s == Approx(duration_s).margin(0.0005));
  }
}

TEST_CASE("a tile shows the middle of what it stands for") {
  const auto layout = layout_of(7.3);
  CHECK(layout.interval_s == 0.5);
  CHECK(layout.time_s(0) == 0.25);
  CHECK(layout.time_s(14) == Approx(7.15));
  CHECK(layout_of(0).time_s(0) == 0);
}

TEST_CASE("a sprite is no larger than its tiles need") {
  const auto layout = layout_of(600);
  Sprite sprite(layout);
  const av::Frame tile = av::make_picture(AV_PIX_FMT_RGB24, 160, 90);
  std::fill_n(tile->data[0], std::ptrdiff_t{tile->linesize[0]} * tile->height, uint8_t{200});
  CHECK(sprite.is_empty());
  for (int n = 0; n < 12; ++n) sprite.add(*tile);
  const auto two_rows = sprite.take();
  CHECK(two_rows.width == 1600);
  CHECK(two_rows.height == 180);
  CHECK(sprite.is_empty());
  sprite.add(*tile);
  const auto one = sprite.take();
  CHECK(one.width == 160);
  CHECK(one.height == 90);
  REQUIRE(one.bytes.size() > 4);
  CHECK(one.bytes[0] == 0xFF);
  CHECK(one.bytes[1] == 0xD8);
}

TEST_CASE("steps are those of presentation when frames are reordered") {
  // Decoded I P B B: the last frame's neighbour may still come.
  const FrameSteps even = steps_between({0, 3, 1, 2, 6, 4, 5, 9}, 5);
  CHECK(even.shortest == 1);
  CHECK(even.longest == 1);
  CHECK(even.count == 5);
  CHECK_FALSE(is_variable(even, {1, 25}, false));
}

TEST_CASE("rounding and fields are no variable rate, missing frames are one") {
  FrameSteps rounded;
  for (const int64_t step : {33, 33, 34}) rounded.add(step);
  CHECK_FALSE(is_variable(rounded, {1, 1000}, false));
  FrameSteps gap = rounded;
  gap.add(67);
  CHECK(is_variable(gap, {1, 1000}, false));
  FrameSteps fields;
  for (const int64_t step : {20, 40, 20, 0}) fields.add(step);
  CHECK(fields.count == 3);
  CHECK_FALSE(is_variable(fields, {1, 1000}, true));
  CHECK(is_variable(fields, {1, 1000}, false));
}
