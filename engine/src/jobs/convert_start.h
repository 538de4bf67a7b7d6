/// Where reading has to begin so that the range's first picture can be decoded or copied.
#pragma once

#include <optional>

#include "jobs/convert_track.h"
#include "media/decoder.h"

namespace millrace::jobs {

struct ConvertStart {
  /// To be sought, in ticks of `stream`; none = the source is read from its beginning.
  std::optional<int64_t> seek;
  int stream = 0;
  av::Frame first;  ///< of a video that is encoded: a picture at or before the start
  std::optional<double> key_frame_s;  ///< of a video that is copied: the key frame it begins at
};

/// Looks around in an input of its own, which is moved. Throws CORRUPT where no picture of the
/// video can be decoded, UNSUPPORTED_CODEC, and `std::invalid_argument` for a stream of the wrong
/// kind.
ConvertStart find_start(media::Input& scout, const media::ConvertJob& job,
                        const ConvertRange& range, const Limits& limits);

}  // namespace millrace::jobs
