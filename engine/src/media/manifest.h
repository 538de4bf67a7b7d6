/// The DASH manifest of a finished ladder, as text.
#pragma once

#include <string>

#include "media/output_folder.h"
#include "media/plan.h"

namespace millrace::media {

/// ISO/IEC 23009-1, profile isoff-live (numbered segments with their exact times), naming the same
/// segments as the playlists. `tracks` holds every rendition and audio entry of the plan.
std::string dash_manifest(const Plan& plan, const TrackRecords& tracks);

}  // namespace millrace::media
