#include "jobs/failure.h"

#include <cerrno>
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "av/error.h"
#include "jobs/report.h"
#include "millrace/engine.h"

extern "C" {
#include <libavutil/error.h>
}

namespace millrace::jobs {

namespace {

Reason reason_of(const av::Error& error) {
  switch (error.code()) {
    case AVERROR_INVALIDDATA:
    case AVERROR_EOF:
      return Reason::Corrupt;
    case AVERROR_PATCHWELCOME:
    case AVERROR_DECODER_NOT_FOUND:
      return Reason::UnsupportedCodec;
    case AVERROR(EIO):
      return Reason::SourceUnreadable;
    case AVERROR(ENOMEM):
      return Reason::LimitExceeded;
    default:
      return Reason::Internal;
  }
}

Failure failure_of(const ErrorKeys& keys, Reason reason, const std::string& message,
                   std::optional<double> position_s = std::nullopt) {
  nlohmann::ordered_json event = {
      {"type", "error"}, {keys.reason, reason_code(reason)}, {"message", message}};
  if (position_s) event[keys.position] = seconds(*position_s);
  const std::string text =
      event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return {text, std::string{reason_code(reason)} + ": " + message, exit_code(reason)};
}

}  // namespace

Failure describe_failure(const std::exception_ptr& error, const ErrorKeys& keys) {
  try {
    std::rethrow_exception(error);
  } catch (const EngineError& failure) {
    return failure_of(keys, failure.reason(), failure.what(), failure.position_s());
  } catch (const Stopped& stopped) {
    return {"", stopped.what(), 70};  // main knows the signal
  } catch (const std::invalid_argument& usage) {
    return {"", usage.what(), 2};
  } catch (const av::Error& failure) {
    return failure_of(keys, reason_of(failure), failure.what());
  } catch (const std::bad_alloc&) {
    return failure_of(keys, Reason::LimitExceeded, "There is not enough memory for this video.");
  } catch (const std::exception& bug) {
    return failure_of(keys, Reason::Internal, bug.what());
  } catch (...) {
    return failure_of(keys, Reason::Internal, "unknown failure");
  }
}

}  // namespace millrace::jobs
