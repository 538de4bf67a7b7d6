#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "av/error.h"
#include "media/aac_track_encoder.h"

using millrace::media::AacEncoder;
using millrace::media::AacTrackEncoder;
using millrace::media::AudioPlan;
using millrace::media::Samples;

namespace av = millrace::av;

namespace {

constexpr int kSampleRate = 48'000;
constexpr int64_t kFrame = AacEncoder::kFrameSamples;
constexpr int64_t kSpanPackets = 512;  ///< packets, as the encoder has it

AudioPlan stereo() {
  AudioPlan plan;
  plan.channels = 2;
  plan.sample_rate_hz = kSampleRate;
  plan.bitrate_bps = 128'000;
  return plan;
}

/// Tones that glide, and strokes of noise: some of them just where spans meet.
Samples music(int64_t count) {
  Samples samples(2, std::vector<float>(static_cast<size_t>(count)));
  std::mt19937 chance(7);
  std::uniform_real_distribution<float> noise(-1, 1);
  double phase = 0;
  for (int64_t n = 0; n < count; ++n) {
    const double time_s = static_cast<double>(n) / kSampleRate;
    phase += 2 * M_PI * (300 + 250 * std::sin(time_s * 1.7)) / kSampleRate;
    const double tone = 0.25 * std::sin(phase) + 0.1 * std::sin(3.1 * phase);
    const int64_t since = (n + kFrame) % (kSpanPackets * kFrame / 7);
    const double stroke = 0.5 * std::exp(-static_cast<double>(since) / 1500) * noise(chance);
    samples[0][static_cast<size_t>(n)] = static_cast<float>(tone + stroke);
    samples[1][static_cast<size_t>(n)] = static_cast<float>(tone - 0.5 * stroke);
  }
  return samples;
}

struct Encoded {
  std::vector<uint8_t> config;
  std::vector<std::vector<uint8_t>> packets;
  int64_t first = 0;
};

Encoded encoded(const Samples& samples, int64_t first, int threads) {
  Encoded made;
  made.first = first;
  AacTrackEncoder encoder(stereo(), first, threads, [&](int64_t index, std::vector<uint8_t> data) {
    REQUIRE(index == first + static_cast<int64_t>(made.packets.size()));
    made.packets.push_back(std::move(data));
  });
  made.config = encoder.config();
  constexpr size_t kBlock = 1500;  // as decoders give them: no multiple of anything
  for (size_t at = 0; at < samples.front().size(); at += kBlock) {
    Samples block;
    for (const auto& channel : samples) {
      const auto begin = channel.begin() + static_cast<std::ptrdiff_t>(at);
      const size_t count = std::min(kBlock, channel.size() - at);
      block.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(count));
    }
    encoder.add(block);
  }
  encoder.finish();
  return made;
}

/// By one encoder from beginning to end.
Encoded encoded_by_one(const Samples& samples) {
  Encoded made;
  AacEncoder encoder(stereo(), [&](int64_t, std::vector<uint8_t> data) {
    made.packets.push_back(std::move(data));
  });
  made.config = encoder.config();
  encoder.add(samples);
  encoder.finish();
  return made;
}

/// The left channel.
std::vector<float> decoded(const Encoded& made) {
  av::Codec codec{avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_AAC))};
  codec->extradata_size = static_cast<int>(made.config.size());
  codec->extradata =
      static_cast<uint8_t*>(av_mallocz(made.config.size() + AV_INPUT_BUFFER_PADDING_SIZE));
  std::copy(made.config.begin(), made.config.end(), codec->extradata);
  av::check(avcodec_open2(codec.get(), codec->codec, nullptr), "open the decoder");
  std::vector<float> samples;
  const av::Packet packet = av::make_packet();
  const av::Frame frame = av::make_frame();
  for (const auto& data : made.packets) {
    av::check(av_new_packet(packet.get(), static_cast<int>(data.size())), "allocate");
    std::copy(data.begin(), data.end(), packet->data);
    av::check(avcodec_send_packet(codec.get(), packet.get()), "decode");
    av_packet_unref(packet.get());
    while (avcodec_receive_frame(codec.get(), frame.get()) == 0) {
      const auto* plane = reinterpret_cast<const float*>(frame->extended_data[0]);
      samples.insert(samples.end(), plane, plane + frame->nb_samples);
    }
  }
  return samples;
}

/// Energy of what was lost in each frame, by what was there.
std::vector<double> losses(const std::vector<float>& original, const std::vector<float>& heard) {
  std::vector<double> found;
  for (size_t at = 0; at + kFrame <= std::min(original.size(), heard.size()); at += kFrame) {
    double lost = 0;
    double there = 1e-9;
    for (size_t n = at; n < at + kFrame; ++n) {
      lost += std::pow(original[n] - heard[n], 2);
      there += std::pow(original[n], 2);
    }
    found.push_back(lost / there);
  }
  return found;
}

}  // namespace

TEST_CASE("no seam is heard when a track is encoded in spans") {
  const Samples samples = music(4 * kSpanPackets * kFrame);
  const auto parts = losses(samples[0], decoded(encoded(samples, 0, 2)));
  const auto whole = losses(samples[0], decoded(encoded_by_one(samples)));
  REQUIRE(parts.size() == whole.size());
  for (int64_t seam = kSpanPackets; seam < 4 * kSpanPackets; seam += kSpanPackets) {
    for (int64_t frame = seam - 2; frame <= seam + 2; ++frame) {
      CAPTURE(frame);
      const auto n = static_cast<size_t>(frame);
      CHECK(parts[n] <= 1.25 * whole[n] + 1e-3);
    }
  }
}

TEST_CASE("packets are the same when other threads make them or others were made before") {
  const Samples samples = music(2 * kSpanPackets * kFrame + 777);
  const Encoded whole = encoded(samples, 0, 1);
  CHECK(whole.packets.size() == 2 * kSpanPackets + 1);
  CHECK(encoded(samples, 0, 3).packets == whole.packets);
  for (const int64_t first : {1L, 511L, 512L, 700L, 1024L}) {
    const Encoded rest = encoded(samples, first, 2);
    CHECK(std::equal(rest.packets.begin(), rest.packets.end(), whole.packets.begin() + first,
                     whole.packets.end()));
  }
}

TEST_CASE("there is no packet when there is no sound") {
  CHECK(encoded(Samples(2), 0, 2).packets.empty());
  CHECK(encoded(music(5), 0, 2).packets.size() == 1);
}
