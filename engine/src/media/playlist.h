/// HLS playlists of a finished ladder (RFC 8216), as text.
#pragma once

#include <string>
#include <vector>

#include "media/output_folder.h"
#include "media/plan.h"

namespace millrace::media {

struct TextFile {
  std::string path;  ///< below the output folder
  std::string text;
};

/// A media playlist for every track, one of the I-frames for every rendition, and the master
/// playlist, which comes last because it names the others. `tracks` holds every rendition and audio
/// entry of the plan.
std::vector<TextFile> hls_playlists(const Plan& plan, const TrackRecords& tracks);

}  // namespace millrace::media
