#include <catch2/catch.hpp>

#include "media/rates.h"

using namespace millrace::media;  // NOLINT(google-build-using-namespace)

namespace {

SegmentInfo segment(int64_t index, int64_t bytes, int frames, int64_t iframe_bytes = 0) {
  return {"720p", index, segment_path("720p", index), bytes, {frames, 25}, iframe_bytes};
}

TrackRecord track(std::vector<SegmentInfo> segments) {
  return {"avc1.64001f", std::move(segments), 0};
}

}  // namespace

TEST_CASE("a tiny last segment does not set the peak when rates are measured") {
  const BitRates rates =
      measure({segment(0, 500'000, 100), segment(1, 1'000'000, 100), segment(2, 100'000, 1)}, 4);
  // The last two together last 4.04 s: that run counts, the 0.04 s alone does not.
  CHECK(rates.peak_bps == 2'178'218);
  CHECK(rates.average_bps == 1'592'040);
}

TEST_CASE("the peak is the average when everything is shorter than half a target duration") {
  const BitRates rates = measure({segment(0, 1000, 1)}, 4);
  CHECK(rates.peak_bps == 200'000);
  CHECK(rates.average_bps == 200'000);
}

TEST_CASE("only I-frames count when their rates are measured") {
  const BitRates rates = measure({segment(0, 500'000, 100, 10'000), segment(1, 1'000'000, 100, 5)},
                                 4, &SegmentInfo::iframe_bytes);
  CHECK(rates.peak_bps == 20'000);
  CHECK(rates.average_bps == 10'005);
}

TEST_CASE("there is no rate when nothing was written") {
  CHECK(measure({}, 4).peak_bps == 0);
  CHECK(measure({}, 4).average_bps == 0);
}

TEST_CASE("the target duration is the planned one when segments are shorter") {
  Plan plan;  // 4 s at 25 frames a second
  CHECK(target_duration_s(plan, {{"720p", track({segment(0, 1, 20)})}}) == 4);
  plan.audio.resize(1);
  CHECK(target_duration_s(plan, {}) == 4);
  plan.segment_frames = 112;  // 4.48 s, with a frame of sound 4.501 s
  CHECK(target_duration_s(plan, {}) == 5);
}

TEST_CASE("the target duration covers the longest segment when one exceeds the plan") {
  CHECK(target_duration_s(Plan{}, {{"720p", track({segment(0, 1, 138)})}}) == 6);
}
