/// One video stream's pictures: decoded, with sound timestamps, without fields.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "media/decoder.h"
#include "media/filter_chain.h"
#include "media/input.h"
#include "media/video_facts.h"

namespace millrace::media {

/// The decoder knows that something is missing in the picture.
bool is_damaged(const AVFrame& frame);

class PictureStream {
 public:
  struct Listener {
    /// A whole picture; false = no more are needed.
    std::function<bool(TimedFrame)> on_picture;
    /// The same as it comes from the decoder, fields and all; false = no more are needed.
    std::function<bool(const TimedFrame&)> on_decoded = nullptr;
    /// A picture is not whole, or was lost; with its time in the stream's time base.
    std::function<void(int64_t timestamp)> on_damage = nullptr;
  };

  /// `at_start`: the first packet is the stream's first one.
  PictureStream(Input& input, AVStream& stream, const VideoFacts& facts, Decoder::Options options,
                bool at_start, Listener listener);

  /// Feeds a packet; null = the end. False once the listener needs no more.
  bool decode(const AVPacket* packet);
  /// Forgets everything: to be called after a seek.
  void restart(bool at_start);

  const Decoder& decoder() const { return decoder_; }

 private:
  bool take(TimedFrame decoded);
  void note_first(const TimedFrame& decoded);
  void note_damage(int64_t timestamp) const;
  void make_deinterlacer();
  void deinterlaced(av::Frame frame);

  Input& input_;
  AVStream& stream_;
  Listener listener_;
  Decoder decoder_;
  bool deinterlaces_;
  std::optional<FilterChain> deinterlacer_;
  bool at_first_picture_;
  bool needs_more_ = true;
  int64_t timestamp_shift_ = 0;
  int64_t last_timestamp_ = AV_NOPTS_VALUE;
};

}  // namespace millrace::media
