/// Exact pictures at given times, for as little decoding as their order allows.
#pragma once

#include <cstdint>
#include <optional>

#include "media/decoder.h"
#include "media/input.h"

namespace millrace::media {

/// Decodes forward while the next time wanted lies ahead in the same group of pictures, and seeks
/// otherwise. Where seeking turns out to lead nowhere (no index, no key frames but the first), it
/// goes forward only: times that come in order cost one pass over the file at most.
class FrameCursor {
 public:
  FrameCursor(Input& input, int stream, int64_t max_pixels, int threads);

  /// The decodable picture nearest to `target` (stream's time base); nothing if there is none.
  std::optional<TimedFrame> nearest(int64_t target);
  /// Decoding on is the way to `target`: seeking has failed before, or the cursor is shortly before
  /// it and has met no key frame for longer than `tolerance`.
  bool is_on_the_way(int64_t target, int64_t tolerance) const;

 private:
  bool is_ahead(int64_t target) const;
  bool start_before(int64_t target);
  void start_over();
  void place();
  bool advance(int64_t target, bool must_not_be_late);
  void take(TimedFrame frame);
  std::optional<TimedFrame> choose(int64_t target) const;
  int64_t ticks(double seconds) const;

  Input& input_;
  AVStream& stream_;
  Decoder decoder_;
  std::optional<TimedFrame> before_;  ///< the last frame but one
  std::optional<TimedFrame> last_;
  int64_t last_key_ = AV_NOPTS_VALUE;
  int64_t placed_at_ = -1;  ///< the input's `moves()` when it was moved by us
  bool ended_ = false;
  bool seeks_ = true;
};

}  // namespace millrace::media
