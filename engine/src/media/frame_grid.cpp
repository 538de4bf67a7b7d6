#include "media/frame_grid.h"

#include <algorithm>
#include <utility>

extern "C" {
#include <libavutil/mathematics.h>
}

namespace millrace::media {

namespace {
__extension__ using Wide = __int128;

int64_t floor_div(Wide a, Wide b) {
  const Wide quotient = a / b;
  return static_cast<int64_t>(a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient);
}
}  // namespace

int64_t FrameGrid::slot_of(int64_t timestamp) const {
  const Wide numerator = static_cast<Wide>(timestamp - origin_) * time_base_.num * frame_rate_.num;
  const Wide denominator = static_cast<Wide>(time_base_.den) * frame_rate_.den;
  return floor_div(2 * numerator + denominator, 2 * denominator);
}

int64_t FrameGrid::timestamp_of(int64_t slot) const {
  return origin_ + av_rescale_q_rnd(slot, av_inv_q(frame_rate_), time_base_, AV_ROUND_NEAR_INF);
}

SlotFiller::SlotFiller(FrameGrid grid, int64_t start, int64_t end, Emit emit)
    : grid_(grid), next_(start), end_(end), emit_(std::move(emit)) {}

void SlotFiller::push(av::SharedFrame frame, int64_t timestamp, int64_t duration) {
  const int64_t slot = grid_.slot_of(timestamp);
  if (pending_ && slot < pending_slot_) return;  // time ran backwards: keep what is shown
  if (pending_) {
    emit_until(slot);
  } else {
    first_slot_ = slot;
  }
  pending_ = std::move(frame);
  pending_slot_ = slot;
  const int64_t end = duration > 0 ? grid_.slot_of(timestamp + duration) : slot + 1;
  // The end is rounded like a beginning, so that the length stays; slot 0 always has a picture.
  pending_end_slot_ = std::max<int64_t>(end, 1);
  // A first frame that comes late also fills the slots before it.
  if (next_ < slot && first_slot_ == slot) emit_until(slot);
}

void SlotFiller::finish() {
  if (pending_) emit_until(pending_end_slot_);
  pending_.reset();
}

void SlotFiller::emit_until(int64_t slot) {
  for (const int64_t end = std::min(slot, end_); next_ < end; ++next_) emit_(next_, pending_);
}

}  // namespace millrace::media
