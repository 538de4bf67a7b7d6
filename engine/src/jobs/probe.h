/// The probe's work on an input that is already open.
#pragma once

#include "media/input.h"
#include "millrace/engine.h"

namespace millrace::jobs {

/// Reports the source's facts as one `result` event. Throws CORRUPT when nothing decodes.
void probe_input(media::Input& input, const Limits& limits, const EventSink& events);

}  // namespace millrace::jobs
