#include "media/video_encoder.h"

#include "millrace/engine.h"

namespace millrace::media {

void encoder_failed(const std::string& what) {
  throw EngineError(Reason::Internal, what);
}

}  // namespace millrace::media
