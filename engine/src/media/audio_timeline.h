/// Decoded sound → an unbroken run of samples that starts at the output's time zero.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "av/ptr.h"

namespace millrace::media {

/// Planar float samples, one vector per channel, all of the same length.
using Samples = std::vector<std::vector<float>>;

/// Resamples and down-mixes; fills gaps and a late start with silence, cuts what is before zero or
/// overlaps. Timestamps that differ from the running position by less than 20 ms are jitter.
class AudioTimeline {
 public:
  using OnSamples = std::function<void(const Samples&)>;

  AudioTimeline(int channels, int sample_rate_hz, OnSamples on_samples);

  /// `time_samples`: when the frame is heard, in output samples since time zero.
  void push(const AVFrame& frame, int64_t time_samples);
  /// Ends the track; with silence up to `least_samples` if it is shorter.
  void finish(int64_t least_samples);

  /// Samples delivered so far.
  int64_t position() const { return emitted_; }

 private:
  void configure(const AVFrame& frame);
  bool fits(const AVFrame& frame) const;
  void synchronise(int64_t time_samples);
  void convert(const AVFrame* frame);
  void emit_silence(int64_t count);
  void emit(Samples samples);
  void limit(Samples& samples);

  int channels_;
  int sample_rate_hz_;
  OnSamples on_samples_;
  av::Swr swr_;
  int in_rate_ = 0;
  int in_format_ = AV_SAMPLE_FMT_NONE;
  int in_channels_ = 0;
  uint64_t in_mask_ = 0;
  bool started_ = false;
  int64_t emitted_ = 0;
  int64_t skip_ = 0;  ///< samples still to be thrown away
  float gain_ = 1.0F;
};

}  // namespace millrace::media
