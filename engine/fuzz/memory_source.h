/// What the fuzz targets share: a source in memory, tight limits, and which ends are in order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <span>

#include "av/error.h"
#include "jobs/failure.h"
#include "media/byte_source.h"
#include "media/input.h"

extern "C" {
#include <libavutil/mem.h>
}

namespace millrace::fuzz {

/// Bytes that somebody else keeps.
class MemorySource final : public media::ByteSource {
 public:
  /// Throws LIMIT_EXCEEDED once `max_bytes_read` bytes were delivered: no input may make us read
  /// it over and over.
  MemorySource(std::span<const uint8_t> bytes, int64_t max_bytes_read)
      : bytes_(bytes), max_bytes_read_(max_bytes_read) {}

  int64_t size() const override { return static_cast<int64_t>(bytes_.size()); }
  int64_t bytes_read() const override { return bytes_read_; }

  size_t read_at(int64_t offset, std::span<uint8_t> into) override {
    if (offset < 0 || offset >= size()) return 0;
    const auto rest = bytes_.subspan(static_cast<size_t>(offset));
    const size_t length = std::min(rest.size(), into.size());
    std::memcpy(into.data(), rest.data(), length);
    bytes_read_ += static_cast<int64_t>(length);
    if (bytes_read_ > max_bytes_read_) {
      throw EngineError(Reason::LimitExceeded, "The input is read again and again.");
    }
    return length;
  }

 private:
  std::span<const uint8_t> bytes_;
  int64_t max_bytes_read_;
  int64_t bytes_read_ = 0;
};

inline Limits limits() {
  Limits limits;
  limits.max_pixels = 1 << 20;
  limits.max_duration_s = 3600;
  limits.max_streams = 32;
  return limits;
}

/// Opens the bytes as a source and works on it. An end that the exit codes document is in order;
/// anything else (INTERNAL, 70) is a bug, and reported by a crash.
template <typename Work>
int run(const uint8_t* data, size_t size, const Work& work) {
  constexpr int64_t kReadAllowance = 16 << 20;
  // The program's memory limit is kept by its watchdog, which is not here.
  constexpr size_t kLargestAllocation = 256 << 20;
  av_max_alloc(kLargestAllocation);
  static const bool quiet = (av_log_set_level(AV_LOG_QUIET), true);
  static_cast<void>(quiet);
  try {
    const StopToken stop;
    const std::span<const uint8_t> bytes{data, size};
    media::Input input(std::make_unique<MemorySource>(bytes, kReadAllowance), limits(), stop, true);
    work(input);
  } catch (...) {  // judged by its exit code
    const jobs::Failure failure = jobs::describe_failure(std::current_exception());
    constexpr int kBug = 70;
    if (failure.exit_code == kBug) throw;
  }
  return 0;
}

}  // namespace millrace::fuzz
