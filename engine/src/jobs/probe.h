/// The probe's work on an input that is already open.
#pragma once

#include "media/input.h"
#include "millrace/engine.h"

namespace millrace::jobs {

/// Reports the source's facts as one `result` event. Throws CORRUPT when nothing decodes.
/// `allow_no_video`: sound is enough; NO_VIDEO_STREAM if not.
void probe_input(media::Input& input, const Limits& limits, bool allow_no_video,
                 const EventSink& events);

}  // namespace millrace::jobs
