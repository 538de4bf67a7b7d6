/// How evenly a video's frames follow each other, by their timestamps.
#pragma once

#include <cstdint>
#include <vector>

#include "media/input.h"

namespace millrace::media {

/// Distances of successive frames in the stream's ticks.
struct FrameSteps {
  int64_t shortest = INT64_MAX;
  int64_t longest = 0;
  int64_t count = 0;

  void add(int64_t step);
  void add(const FrameSteps& others);
};

/// The steps between the presentation times of packets that were read one after the other. Those
/// at the end whose neighbours may follow later (B-frames) do not count.
FrameSteps steps_between(std::vector<int64_t> presentation, int64_t last_decoding_time);

/// Of every frame where MP4's sample table tells all of them, else of some hundred frames at the
/// beginning and, where a seek is cheap, in the middle and near the end. Moves the input.
FrameSteps frame_steps(Input& input, int stream);

/// Frames last unequally long, by more than rounding to a container's ticks explains. Fields of
/// interlaced video may come one or two at a time: twice as long is no difference there.
bool is_variable(const FrameSteps& steps, AVRational time_base, bool interlaced);

}  // namespace millrace::media
