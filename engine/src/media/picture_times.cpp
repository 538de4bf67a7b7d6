#include "media/picture_times.h"

#include <algorithm>
#include <utility>

namespace millrace::media {

void PictureTimes::push(av::SharedFrame frame, int64_t time, int64_t duration) {
  const int64_t half = range_.usual_duration / 2;
  if (done_) return;
  if (range_.end != kOpenEnd && time >= range_.end - half) {
    // A range that lies inside one long picture shows that.
    if (!started_ && before_) hold(std::exchange(before_, nullptr), 0, 0);
    done_ = true;
    release(range_.end - range_.start);
    return;
  }
  if (time < range_.start - half) {
    before_ = std::move(frame);
    return;
  }
  if (!started_) {
    start(std::move(frame), time - range_.start, duration);
    return;
  }
  const int64_t output_time = time - range_.start;
  if (output_time <= held_time_) return;
  release(output_time);
  hold(std::move(frame), output_time, duration);
}

void PictureTimes::start(av::SharedFrame frame, int64_t time, int64_t duration) {
  const bool at_start = time <= range_.usual_duration / 2;
  if (!at_start && before_) {
    hold(std::exchange(before_, nullptr), 0, 0);
    release(time);
  }
  before_.reset();
  hold(std::move(frame), at_start ? 0 : time, duration);
}

void PictureTimes::hold(av::SharedFrame frame, int64_t time, int64_t duration) {
  started_ = true;
  held_ = std::move(frame);
  held_time_ = time;
  held_duration_ = duration;
}

void PictureTimes::release(int64_t until) {
  if (held_) emit_(held_, held_time_, std::max<int64_t>(1, until - held_time_));
  held_.reset();
}

void PictureTimes::finish() {
  int64_t end = held_time_ + (held_duration_ > 0 ? held_duration_ : range_.usual_duration);
  if (range_.end != kOpenEnd) end = std::min(end, range_.end - range_.start);
  release(end);
  done_ = true;
}

}  // namespace millrace::media
