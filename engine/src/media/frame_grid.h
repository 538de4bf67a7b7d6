/// The output's constant frame rate as a pure function of source timestamps.
///
/// Output slot n is shown during [n / rate, (n + 1) / rate) after the origin. It shows the last
/// source frame whose timestamp, rounded to the nearest slot, is not after n. Nothing else enters,
/// so a chunk decoded alone fills its slots with the same frames as a pass over the whole file,
/// and timestamps that jitter by less than half a slot (Matroska's milliseconds) cause no judder.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>

#include "av/ptr.h"

namespace millrace::media {

class FrameGrid {
 public:
  FrameGrid(AVRational frame_rate, AVRational time_base, int64_t origin)
      : frame_rate_(frame_rate), time_base_(time_base), origin_(origin) {}

  /// The slot a timestamp (in `time_base`) is rounded to; halves go up. May be negative.
  int64_t slot_of(int64_t timestamp) const;
  /// The last timestamp that is rounded to a slot not after `slot`, roughly (for seeking).
  int64_t timestamp_of(int64_t slot) const;

  AVRational frame_rate() const { return frame_rate_; }
  AVRational time_base() const { return time_base_; }
  int64_t origin() const { return origin_; }

 private:
  AVRational frame_rate_;
  AVRational time_base_;
  int64_t origin_;
};

/// Turns frames in presentation order into one frame per slot of [start, end).
class SlotFiller {
 public:
  static constexpr int64_t kOpenEnd = std::numeric_limits<int64_t>::max();
  using Emit = std::function<void(int64_t slot, const av::SharedFrame& frame)>;

  SlotFiller(FrameGrid grid, int64_t start, int64_t end, Emit emit);

  /// A frame at `timestamp`, shown for `duration` (0 = unknown: one slot), both in the time base.
  void push(av::SharedFrame frame, int64_t timestamp, int64_t duration);
  /// The source has no more frames: shows the last one to its end.
  void finish();
  /// Every slot of the range has been emitted.
  bool done() const { return next_ >= end_; }
  int64_t next_slot() const { return next_; }
  /// Slot of the first frame pushed, if any.
  std::optional<int64_t> first_slot() const { return first_slot_; }

 private:
  void emit_until(int64_t slot);

  FrameGrid grid_;
  int64_t next_;
  int64_t end_;
  Emit emit_;
  av::SharedFrame pending_;
  int64_t pending_slot_ = 0;
  int64_t pending_end_slot_ = 0;
  std::optional<int64_t> first_slot_;
};

}  // namespace millrace::media
