#include "millrace/engine.h"

namespace millrace {

const char* reason_code(Reason reason) {
  switch (reason) {
    case Reason::EmptyFile:
      return "EMPTY_FILE";
    case Reason::NotAVideo:
      return "NOT_A_VIDEO";
    case Reason::Corrupt:
      return "CORRUPT";
    case Reason::UnsupportedContainer:
      return "UNSUPPORTED_CONTAINER";
    case Reason::UnsupportedCodec:
      return "UNSUPPORTED_CODEC";
    case Reason::NoVideoStream:
      return "NO_VIDEO_STREAM";
    case Reason::ExternalReference:
      return "EXTERNAL_REFERENCE";
    case Reason::LimitExceeded:
      return "LIMIT_EXCEEDED";
    case Reason::SourceUnreadable:
      return "SOURCE_UNREADABLE";
    case Reason::SourceChanged:
      return "SOURCE_CHANGED";
    case Reason::SourceMissing:
      return "SOURCE_MISSING";
    case Reason::OutputFailed:
      return "OUTPUT_FAILED";
    case Reason::Internal:
      break;
  }
  return "INTERNAL";
}

int exit_code(Reason reason) {
  switch (reason) {
    case Reason::EmptyFile:
    case Reason::NotAVideo:
    case Reason::Corrupt:
      return 3;
    case Reason::UnsupportedContainer:
    case Reason::UnsupportedCodec:
    case Reason::NoVideoStream:
    case Reason::ExternalReference:
      return 4;
    case Reason::SourceUnreadable:
    case Reason::SourceChanged:
    case Reason::SourceMissing:
    case Reason::OutputFailed:
      return 5;
    case Reason::LimitExceeded:
      return 6;
    case Reason::Internal:
      break;
  }
  return 70;
}

void StopToken::check() const {
  if (parent_ != nullptr) parent_->check();
  switch (state_.load(std::memory_order_relaxed)) {
    case kStopped:
      throw Stopped();
    case kTimedOut:
      throw EngineError(Reason::LimitExceeded, "The work took longer than the wall time allowed.");
    case kMemoryOut:
      throw EngineError(Reason::LimitExceeded, "The work needed more memory than is allowed.");
    default:
      return;
  }
}

}  // namespace millrace
