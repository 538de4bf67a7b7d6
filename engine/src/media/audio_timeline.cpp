#include "media/audio_timeline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "av/error.h"

extern "C" {
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
}

namespace millrace::media {

namespace {

constexpr int kJitterMs = 20;
constexpr int64_t kSilenceBlock = 4096;

Samples silence(int channels, int64_t count) {
  return {static_cast<size_t>(channels), std::vector<float>(static_cast<size_t>(count), 0.0F)};
}

/// Layout of a frame; a usual one for its channel count where the source does not say.
AVChannelLayout layout_of(const AVFrame& frame) {
  if (frame.ch_layout.order == AV_CHANNEL_ORDER_NATIVE) return frame.ch_layout;
  AVChannelLayout layout{};
  av_channel_layout_default(&layout, frame.ch_layout.nb_channels);
  return layout;
}

/// Every input channel to every second output: for counts that have no known layout.
std::vector<double> spread_matrix(int inputs, int outputs) {
  std::vector<double> matrix(static_cast<size_t>(inputs) * static_cast<size_t>(outputs), 0.0);
  const double share = std::min(1.0, std::sqrt(static_cast<double>(outputs) / inputs));
  for (int input = 0; input < inputs; ++input) {
    const auto row = static_cast<size_t>(input % outputs);
    matrix[row * static_cast<size_t>(inputs) + static_cast<size_t>(input)] = share;
  }
  return matrix;
}

}  // namespace

AudioTimeline::AudioTimeline(int channels, int sample_rate_hz, OnSamples on_samples)
    : channels_(channels), sample_rate_hz_(sample_rate_hz), on_samples_(std::move(on_samples)) {}

bool AudioTimeline::fits(const AVFrame& frame) const {
  return swr_ && frame.sample_rate == in_rate_ && frame.format == in_format_ &&
         frame.ch_layout.nb_channels == in_channels_ &&
         (frame.ch_layout.order != AV_CHANNEL_ORDER_NATIVE || frame.ch_layout.u.mask == in_mask_);
}

void AudioTimeline::configure(const AVFrame& frame) {
  if (swr_) convert(nullptr);  // the old format's rest
  AVChannelLayout in = layout_of(frame);
  AVChannelLayout out{};
  av_channel_layout_default(&out, channels_);
  SwrContext* swr = nullptr;
  av::check(
      swr_alloc_set_opts2(&swr, &out, AV_SAMPLE_FMT_FLTP, sample_rate_hz_, &in,
                          static_cast<AVSampleFormat>(frame.format), frame.sample_rate, 0, nullptr),
      "set up the resampler");
  swr_.reset(swr);
  // ITU-R BS.775: front + 0.707 centre + 0.707 surround at full level; limit() catches the peaks
  // that a scaled-down matrix would avoid by making everything quiet.
  constexpr double kNoScaling = 1000.0;
  av_opt_set_double(swr, "rematrix_maxval", kNoScaling, 0);
  if (in.nb_channels == 1 && channels_ == 2) {
    constexpr std::array<double, 2> kBothSides = {1.0, 1.0};
    av::check(swr_set_matrix(swr, kBothSides.data(), 1), "set the mono matrix");
  } else if (in.order != AV_CHANNEL_ORDER_NATIVE && in.nb_channels != channels_) {
    const auto matrix = spread_matrix(in.nb_channels, channels_);
    av::check(swr_set_matrix(swr, matrix.data(), in.nb_channels), "set the down-mix matrix");
  }
  av::check(swr_init(swr), "start the resampler");
  in_rate_ = frame.sample_rate;
  in_format_ = frame.format;
  in_channels_ = frame.ch_layout.nb_channels;
  in_mask_ = frame.ch_layout.order == AV_CHANNEL_ORDER_NATIVE ? frame.ch_layout.u.mask : 0;
}

void AudioTimeline::push(const AVFrame& frame, int64_t time_samples) {
  if (frame.nb_samples <= 0 || frame.sample_rate <= 0) return;
  if (!fits(frame)) configure(frame);
  synchronise(time_samples);
  convert(&frame);
}

void AudioTimeline::synchronise(int64_t time_samples) {
  const int64_t running = emitted_ - skip_ + swr_get_delay(swr_.get(), sample_rate_hz_);
  const int64_t drift = time_samples - running;
  const int64_t tolerance = int64_t{sample_rate_hz_} * kJitterMs / 1000;
  if (started_ && std::abs(drift) <= tolerance) return;
  started_ = true;
  if (drift < 0) {
    skip_ -= drift;
    return;
  }
  // The gap first takes back what was going to be thrown away.
  const int64_t unskipped = std::min(skip_, drift);
  skip_ -= unskipped;
  emit_silence(drift - unskipped);
}

void AudioTimeline::convert(const AVFrame* frame) {
  const int room = swr_get_out_samples(swr_.get(), frame == nullptr ? 0 : frame->nb_samples);
  av::check(room, "size the resampler's output");
  if (room == 0) return;
  Samples samples = silence(channels_, room);
  std::vector<uint8_t*> planes;
  for (auto& channel : samples) planes.push_back(reinterpret_cast<uint8_t*>(channel.data()));
  const auto** input =
      frame == nullptr ? nullptr : const_cast<const uint8_t**>(frame->extended_data);
  const int got = av::check(
      swr_convert(swr_.get(), planes.data(), room, input, frame == nullptr ? 0 : frame->nb_samples),
      "resample");
  for (auto& channel : samples) channel.resize(static_cast<size_t>(got));
  if (frame != nullptr && in_channels_ > channels_) limit(samples);
  emit(std::move(samples));
}

/// Keeps peaks below full scale: attack at once, release over about 100 ms.
void AudioTimeline::limit(Samples& samples) {
  constexpr float kCeiling = 0.98F;
  const auto release = 1.0F / (0.1F * static_cast<float>(sample_rate_hz_));
  for (size_t n = 0; n < samples.front().size(); ++n) {
    float peak = 0;
    for (const auto& channel : samples) peak = std::max(peak, std::abs(channel[n]));
    gain_ = std::min(1.0F, gain_ + (1.0F - gain_) * release * 3.0F);
    if (peak * gain_ > kCeiling) gain_ = kCeiling / peak;
    for (auto& channel : samples) channel[n] *= gain_;
  }
}

void AudioTimeline::emit_silence(int64_t count) {
  while (count > 0) {
    const int64_t block = std::min(count, kSilenceBlock);
    on_samples_(silence(channels_, block));
    emitted_ += block;
    count -= block;
  }
}

void AudioTimeline::emit(Samples samples) {
  const auto length = static_cast<int64_t>(samples.front().size());
  const int64_t dropped = std::min(skip_, length);
  skip_ -= dropped;
  if (dropped == length) return;
  for (auto& channel : samples) channel.erase(channel.begin(), channel.begin() + dropped);
  emitted_ += length - dropped;
  on_samples_(samples);
}

void AudioTimeline::finish(int64_t least_samples) {
  if (swr_) convert(nullptr);
  emit_silence(least_samples - emitted_);
}

}  // namespace millrace::media
