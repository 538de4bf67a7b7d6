/// A pass over the source that makes other tracks than the video's.
#pragma once

#include <cstdint>

namespace millrace::jobs {

class TrackPass {
 public:
  TrackPass() = default;
  TrackPass(const TrackPass&) = delete;
  TrackPass& operator=(const TrackPass&) = delete;
  virtual ~TrackPass() = default;

  virtual void run() = 0;
  /// Makes `run` in another thread end soon, with `Stopped`.
  virtual void cancel() = 0;

  /// Share of the plan's duration that is done, 0 to 1; may be called from another thread.
  virtual double done() const = 0;
  virtual int64_t bytes_read() const = 0;
};

}  // namespace millrace::jobs
