/// Where streams really end, for containers that only say how long the longest one is.
#pragma once

#include <map>

#include "media/input.h"

namespace millrace::media {

/// The durations in seconds, by stream index, of the streams whose last packets can be reached
/// cheaply and whose container does not tell theirs (Matroska without statistics tags). Moves the
/// input and selects all its streams.
std::map<int, double> measured_durations(Input& input, int video);

}  // namespace millrace::media
