/// A look at an ISO base media file's boxes before libav opens it: is it whole, does it stay inside
/// itself?
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "media/byte_source.h"

namespace millrace::media {

struct Mp4Structure {
  bool has_movie = false;   ///< moov is there
  bool fragmented = false;  ///< moof is there
  bool media_cut = false;   ///< a top-level box reaches past the end of the file
};

/// Walks the top-level boxes and moov's data references. Throws CORRUPT when the index (moov) is
/// missing and EXTERNAL_REFERENCE when a track's data, or the whole movie, lies in another file.
Mp4Structure inspect_mp4(ByteSource& source);

}  // namespace millrace::media
