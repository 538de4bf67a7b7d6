#include "millrace/engine.h"
namespace millrace {
void probe(const Source&, const EventSink&, const StopToken&) {}
void thumbnail(const ThumbnailOptions&, const EventSink&, const StopToken&) {}
}
