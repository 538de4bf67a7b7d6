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

class PictureStream {
 public:
  struct Listener {
    std::function<void(TimedFrame)> on_picture;
    /// A picture is not whole, or was lost; with its time in the stream's time base.
    std::function<void(int64_t timestamp)> on_damage;
  };

  /// `at_start`: the first packet is the stream's first one.
  PictureStream(Input& input, AVStream& stream, const VideoFacts& facts, Decoder::Options options,
                bool at_start, Listener listener);

  /// Feeds a packet; null = the end.
  void decode(const AVPacket* packet);

  int64_t pictures() const { return decoder_.frames(); }

 private:
  void take(TimedFrame decoded);
  void note_first(const TimedFrame& decoded);
  void deinterlaced(av::Frame frame);

  Input& input_;
  AVStream& stream_;
  Listener listener_;
  Decoder decoder_;
  std::optional<FilterChain> deinterlacer_;
  bool at_first_picture_;
  int64_t timestamp_shift_ = 0;
  int64_t last_timestamp_ = AV_NOPTS_VALUE;
};

}  // namespace millrace::media
