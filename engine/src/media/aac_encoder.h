/// AAC-LC by libavcodec, priming dropped: packet n decodes to samples [1024 n, 1024 n + 1024).
#pragma once

#include <functional>
#include <vector>

#include "av/ptr.h"
#include "media/audio_timeline.h"
#include "media/plan.h"

namespace millrace::media {

class AacEncoder {
 public:
  static constexpr int kFrameSamples = 1024;
  using OnPacket = std::function<void(int64_t index, std::vector<uint8_t> data)>;

  AacEncoder(const AudioPlan& plan, OnPacket on_packet);

  /// AudioSpecificConfig.
  std::vector<uint8_t> config() const;
  void add(const Samples& samples);
  void finish();

 private:
  void encode_frame(size_t count);
  void drain();

  OnPacket on_packet_;
  av::Codec codec_;
  Samples fifo_;
  int64_t next_sample_ = 0;
};

}  // namespace millrace::media
