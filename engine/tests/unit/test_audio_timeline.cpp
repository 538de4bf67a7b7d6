#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "media/audio_timeline.h"

extern "C" {
#include <libavutil/channel_layout.h>
}

using namespace millrace;  // NOLINT(google-build-using-namespace)

namespace {

constexpr int kRate = 48'000;

/// A frame of constant values, one per channel.
av::Frame constant(const std::vector<float>& values, int count) {
  av::Frame frame = av::make_frame();
  frame->format = AV_SAMPLE_FMT_FLTP;
  frame->sample_rate = kRate;
  frame->nb_samples = count;
  av_channel_layout_default(&frame->ch_layout, static_cast<int>(values.size()));
  REQUIRE(av_frame_get_buffer(frame.get(), 0) == 0);
  for (size_t channel = 0; channel < values.size(); ++channel) {
    auto* samples = reinterpret_cast<float*>(frame->extended_data[channel]);
    std::fill(samples, samples + count, values[channel]);
  }
  return frame;
}

struct Collected {
  std::vector<float> left;
  std::vector<float> right;
  void add(const media::Samples& samples) {
    left.insert(left.end(), samples[0].begin(), samples[0].end());
    right.insert(right.end(), samples[1].begin(), samples[1].end());
  }
};

}  // namespace

TEST_CASE("silence comes first when the sound starts late") {
  Collected out;
  media::AudioTimeline timeline(2, kRate, [&](const auto& samples) { out.add(samples); });
  timeline.push(*constant({0.5F, 0.25F}, 1000), 480);
  timeline.finish(0);
  REQUIRE(out.left.size() == 1480);
  CHECK(out.left[479] == 0);
  CHECK(out.left[480] == Approx(0.5));
  CHECK(out.right[480] == Approx(0.25));
}

TEST_CASE("the start is cut when the sound begins before time zero") {
  Collected out;
  media::AudioTimeline timeline(2, kRate, [&](const auto& samples) { out.add(samples); });
  timeline.push(*constant({0.1F, 0.1F}, 1000), -1500);
  timeline.push(*constant({0.2F, 0.2F}, 1000), -500);
  timeline.push(*constant({0.3F, 0.3F}, 1000), 500);
  timeline.finish(0);
  REQUIRE(out.left.size() == 1500);
  CHECK(out.left[0] == Approx(0.2));
  CHECK(out.left[499] == Approx(0.2));
  CHECK(out.left[500] == Approx(0.3));
}

TEST_CASE("a gap is filled with silence when packets are missing") {
  Collected out;
  media::AudioTimeline timeline(2, kRate, [&](const auto& samples) { out.add(samples); });
  timeline.push(*constant({0.5F, 0.5F}, 4800), 0);
  timeline.push(*constant({0.5F, 0.5F}, 4800), 9600);
  timeline.finish(0);
  REQUIRE(out.left.size() == 14'400);
  CHECK(out.left[4799] == Approx(0.5));
  CHECK(out.left[4800] == 0);
  CHECK(out.left[9599] == 0);
  CHECK(out.left[9600] == Approx(0.5));
}

TEST_CASE("nothing is inserted when timestamps jitter by a few milliseconds") {
  Collected out;
  media::AudioTimeline timeline(2, kRate, [&](const auto& samples) { out.add(samples); });
  for (int n = 0; n < 50; ++n) {
    timeline.push(*constant({0.5F, 0.5F}, 960), n * 960 + (n % 3) * 200);
  }
  timeline.finish(0);
  CHECK(out.left.size() == 48'000);
}

TEST_CASE("overlapping sound is cut when timestamps jump back") {
  Collected out;
  media::AudioTimeline timeline(2, kRate, [&](const auto& samples) { out.add(samples); });
  timeline.push(*constant({0.1F, 0.1F}, 9600), 0);
  timeline.push(*constant({0.2F, 0.2F}, 9600), 4800);
  timeline.finish(0);
  REQUIRE(out.left.size() == 14'400);
  CHECK(out.left[9599] == Approx(0.1));
  CHECK(out.left[9600] == Approx(0.2));
}

TEST_CASE("the track is padded when it ends before the video") {
  Collected out;
  media::AudioTimeline timeline(2, kRate, [&](const auto& samples) { out.add(samples); });
  timeline.push(*constant({0.5F, 0.5F}, 100), 0);
  timeline.finish(5000);
  CHECK(out.left.size() == 5000);
  CHECK(timeline.position() == 5000);
}

TEST_CASE("mono stays as loud as it was when it becomes stereo") {
  Collected out;
  media::AudioTimeline timeline(2, kRate, [&](const auto& samples) { out.add(samples); });
  timeline.push(*constant({0.5F}, 100), 0);
  timeline.finish(0);
  CHECK(out.left[50] == Approx(0.5));
  CHECK(out.right[50] == Approx(0.5));
}

TEST_CASE("5.1 is mixed as BS.775 says when it becomes stereo") {
  Collected out;
  media::AudioTimeline timeline(2, kRate, [&](const auto& samples) { out.add(samples); });
  // FL FR FC LFE BL BR
  timeline.push(*constant({0.2F, 0.1F, 0.3F, 0.9F, 0.1F, 0.0F}, 100), 0);
  timeline.finish(0);
  CHECK(out.left[50] == Approx(0.2 + 0.3 * M_SQRT1_2 + 0.1 * M_SQRT1_2).epsilon(0.01));
  CHECK(out.right[50] == Approx(0.1 + 0.3 * M_SQRT1_2).epsilon(0.01));
}

TEST_CASE("peaks stay below full scale when the down-mix adds up") {
  Collected out;
  media::AudioTimeline timeline(2, kRate, [&](const auto& samples) { out.add(samples); });
  timeline.push(*constant({0.9F, 0.9F, 0.9F, 0.0F, 0.9F, 0.9F}, 4800), 0);
  timeline.finish(0);
  for (const float sample : out.left) REQUIRE(std::abs(sample) <= 0.99F);
}

TEST_CASE("channels without a known layout are spread when there are many") {
  Collected out;
  media::AudioTimeline timeline(2, kRate, [&](const auto& samples) { out.add(samples); });
  timeline.push(*constant(std::vector<float>(9, 0.1F), 100), 0);
  timeline.finish(0);
  REQUIRE(out.left.size() == 100);
  CHECK(out.left[50] > 0.1F);
}
