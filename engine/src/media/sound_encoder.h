/// Samples → packets of AAC or Opus by libavcodec, at any place of a file of any container.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "av/ptr.h"
#include "media/audio_timeline.h"
#include "media/convert_job.h"

namespace millrace::media {

class SoundEncoder {
 public:
  using OnPacket = std::function<void(AVPacket& packet)>;

  /// `with_priming`: the packet that only prepares the decoder is handed on, too, with its time
  /// below zero; for containers that can say that it is not to be heard.
  SoundEncoder(AVCodecID codec, int channels, int sample_rate_hz, int64_t bitrate_bps,
               bool with_priming, OnPacket on_packet);

  const AVCodecContext& context() const { return *codec_; }
  /// Packets' times are in this.
  AVRational time_base() const { return codec_->time_base; }
  void add(const Samples& samples);
  void finish();

 private:
  void encode(size_t count);
  void fill(AVFrame& frame, size_t count);
  void drain();

  OnPacket on_packet_;
  bool with_priming_;
  av::Codec codec_;
  std::vector<std::vector<float>> waiting_;
  int64_t next_sample_ = 0;
};

/// The rate to encode a source's sound with: its own where the codec has it, else 48 kHz.
int encoded_sample_rate(AVCodecID codec, int source_hz);

}  // namespace millrace::media
