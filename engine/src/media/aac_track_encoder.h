/// A whole sound track as AAC, by several encoders side by side.
#pragma once

#include <cstdint>
#include <deque>
#include <future>
#include <vector>

#include "media/aac_encoder.h"

namespace millrace::media {

/// Cuts the samples into spans and encodes each with an encoder of its own, which also hears a
/// little of what comes before and after it, so that its packets go on where those of the span
/// before end. Spans do not depend on the number of threads, so neither do the packets; and a track
/// can be gone on with from any packet, with the packets it would have had anyway.
class AacTrackEncoder {
 public:
  /// `first_packet`: those before it are not made. `threads`: spans encoded at the same time.
  AacTrackEncoder(const AudioPlan& plan, int64_t first_packet, int threads,
                  AacEncoder::OnPacket on_packet);

  /// AudioSpecificConfig.
  std::vector<uint8_t> config() const;
  void add(const Samples& samples);
  void finish();

 private:
  struct Span {
    int64_t begin = 0;  ///< packets of its own: [begin, end)
    int64_t end = 0;
    int64_t heard_from = 0;  ///< packet at which `samples` begin
    Samples samples;
  };
  struct Packet {
    int64_t index = 0;
    std::vector<uint8_t> data;
  };

  static std::vector<Packet> encode(const AudioPlan& plan, const Span& span);
  /// Has the span from the last one to packet `end` encoded.
  void launch(int64_t end);
  void deliver();
  void forget_before(int64_t packet);
  int64_t samples_held() const { return static_cast<int64_t>(held_.front().size()); }

  AudioPlan plan_;
  int64_t first_packet_;
  size_t threads_;
  AacEncoder::OnPacket on_packet_;
  Samples held_;            ///< what spans to come will hear
  int64_t held_from_ = 0;   ///< packet at which `held_` begins
  int64_t next_begin_ = 0;  ///< of the next span
  std::deque<std::future<std::vector<Packet>>> under_way_;
};

}  // namespace millrace::media
