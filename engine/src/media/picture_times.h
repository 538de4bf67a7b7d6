/// A range of a video's pictures with the times they have in the output, at their own rate.
///
/// Only the first picture's time is touched: it becomes zero, so that the output begins with a
/// picture and all others stay in step with the sound. A picture belongs to the range if more than
/// half of a usual picture's time lies inside; one that stands longer is also taken where it began
/// before the range, as it is what is shown there.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

#include "av/ptr.h"

namespace millrace::media {

class PictureTimes {
 public:
  static constexpr int64_t kOpenEnd = std::numeric_limits<int64_t>::max();

  /// All in ticks of one time base: `start` and `end` as the pictures' times are.
  struct Range {
    int64_t start = 0;
    int64_t end = kOpenEnd;
    int64_t usual_duration = 1;
  };
  /// `time` counts from the range's start and rises from picture to picture.
  using Emit = std::function<void(const av::SharedFrame& frame, int64_t time, int64_t duration)>;

  PictureTimes(Range range, Emit emit) : range_(range), emit_(std::move(emit)) {}

  /// In the order of presentation; what is not later than the one before is left out.
  void push(av::SharedFrame frame, int64_t time, int64_t duration);
  /// The last picture lasts as long as it says, but not beyond the range.
  void finish();
  /// Nothing that follows belongs to the range.
  bool done() const { return done_; }

 private:
  void start(av::SharedFrame frame, int64_t time, int64_t duration);
  void hold(av::SharedFrame frame, int64_t time, int64_t duration);
  void release(int64_t until);

  Range range_;
  Emit emit_;
  av::SharedFrame before_;  ///< the last one that began before the range
  av::SharedFrame held_;    ///< it lasts until the next one comes
  int64_t held_time_ = 0;
  int64_t held_duration_ = 0;
  bool started_ = false;
  bool done_ = false;
};

}  // namespace millrace::media
