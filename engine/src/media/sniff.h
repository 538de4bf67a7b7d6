/// Decides from a source's bytes, before libav sees them, what it is and whether it is allowed.
#pragma once

#include <string>
#include <vector>

#include "media/byte_source.h"

namespace millrace::media {

/// A container the engine opens.
struct Container {
  std::string demuxer;  ///< libav's name, e.g. "mov,mp4,m4a,3gp,3g2,mj2"
  std::string name;     ///< the short name users see, e.g. "mp4"
};

/// Recognises the container. Throws EMPTY_FILE, NOT_A_VIDEO, NO_VIDEO_STREAM (pure audio formats),
/// UNSUPPORTED_CONTAINER, or EXTERNAL_REFERENCE for anything that names other files (playlists,
/// manifests, scripts, reference movies). Reads nothing but `source`.
/// `allow_no_video`: MP3, WAV and FLAC are containers, too.
Container identify_container(ByteSource& source, bool allow_no_video = false);

}  // namespace millrace::media
