#include "media/frame_cursor.h"

#include <array>
#include <cmath>
#include <utility>

namespace millrace::media {

namespace {

// Without an index: decoding on for that long is cheaper than a seek, which may read as much.
constexpr double kWorthDecodingS = 4;
// A seek that has not led to a single picture that long after the target has failed.
constexpr double kHopelessS = 5;

/// Another reference to the same picture.
TimedFrame again(const TimedFrame& frame) {
  return {av::clone(*frame.frame), frame.timestamp, frame.duration};
}

}  // namespace

FrameCursor::FrameCursor(Input& input, int stream, int64_t max_pixels, int threads)
    : input_(input),
      stream_(input.stream(stream)),
      decoder_(stream_, {threads, max_pixels, false}) {}

int64_t FrameCursor::ticks(double seconds) const {
  return std::llround(seconds / av_q2d(stream_.time_base));
}

std::optional<TimedFrame> FrameCursor::nearest(int64_t target) {
  if (is_ahead(target)) {
    advance(target, false);
  } else if (!seeks_ || !start_before(target)) {
    start_over();
    advance(target, false);
  }
  return choose(target);
}

bool FrameCursor::is_on_the_way(int64_t target, int64_t tolerance) const {
  if (!seeks_) return true;
  return is_ahead(target) && last_key_ != AV_NOPTS_VALUE && target - last_key_ > tolerance;
}

/// The frame can be reached by decoding on, and that is the cheapest way to it.
bool FrameCursor::is_ahead(int64_t target) const {
  if (placed_at_ != input_.moves() || !last_) return false;
  if (target < (before_ ? before_->timestamp : last_->timestamp)) return false;
  if (!seeks_ || target <= last_->timestamp) return true;
  const AVIndexEntry* key =
      avformat_index_get_entry_from_timestamp(&stream_, target, AVSEEK_FLAG_BACKWARD);
  if (key != nullptr && input_.seekable_exactly()) return key->timestamp <= last_->timestamp;
  return target - last_->timestamp < ticks(kWorthDecodingS);
}

/// Seeks and decodes up to the target: further back when the first picture comes out too late
/// (open groups of pictures, timestamps that the index has not in order).
bool FrameCursor::start_before(int64_t target) {
  for (const double margin_s : std::array{0.0, 2.0, 15.0}) {
    const int64_t wanted = target - ticks(margin_s);
    if (stream_.start_time != AV_NOPTS_VALUE && wanted <= stream_.start_time) return false;
    if (!input_.seek(stream_.index, wanted)) continue;
    place();
    if (advance(target, true)) return true;
  }
  seeks_ = false;
  return false;
}

void FrameCursor::start_over() {
  input_.rewind();
  place();
}

void FrameCursor::place() {
  decoder_.flush();
  before_.reset();
  last_.reset();
  last_key_ = AV_NOPTS_VALUE;
  placed_at_ = input_.moves();
  ended_ = false;
}

/// Decodes until a frame at or after the target came out, or the end. False if that frame is the
/// first one, and too late.
bool FrameCursor::advance(int64_t target, bool must_not_be_late) {
  const auto arrived = [&] { return last_ && last_->timestamp >= target; };
  const auto on_frame = [&](TimedFrame frame) {
    take(std::move(frame));
    return !arrived();
  };
  const auto hopeless = [&](const AVPacket& packet) {
    return must_not_be_late && !last_ && packet.dts != AV_NOPTS_VALUE &&
           packet.dts > target + ticks(kHopelessS);
  };
  const av::Packet packet = av::make_packet();
  while (!arrived() && !ended_) {
    ended_ = !input_.read(*packet);
    if (!ended_ && hopeless(*packet)) return false;
    decoder_.decode(ended_ ? nullptr : packet.get(), on_frame);
  }
  if (!must_not_be_late) return true;
  return last_ && (before_ || last_->timestamp <= target);
}

void FrameCursor::take(TimedFrame frame) {
  if (frame.frame->key_frame != 0) last_key_ = frame.timestamp;
  before_ = std::exchange(last_, std::move(frame));
}

std::optional<TimedFrame> FrameCursor::choose(int64_t target) const {
  if (!last_) return std::nullopt;
  const bool earlier =
      before_ && std::abs(before_->timestamp - target) < std::abs(last_->timestamp - target);
  return again(earlier ? *before_ : *last_);
}

}  // namespace millrace::media
