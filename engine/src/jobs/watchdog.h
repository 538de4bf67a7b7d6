/// Ends the process in time: on SIGTERM, SIGINT or SIGHUP, and at the wall-time and memory limits.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "jobs/failure.h"
#include "millrace/engine.h"

namespace millrace::jobs {

/// What is done where work does not end by itself.
struct ForcedEnd {
  double grace_s = 3;                 ///< given to work that was asked to stop by a signal
  std::filesystem::path output_file;  ///< a file that is removed then; empty = none
  ErrorKeys keys;
};

/// Construct before any other thread: it blocks the signals for all of them and takes them itself.
/// Work is asked to stop through the token; if it does not within a grace period (a decoder stuck
/// inside one call), the process ends without it. Outputs appear by rename, so none is partial, or
/// are removed.
///
/// Memory is what the process has resident, looked at every few milliseconds. A limit on address
/// space (setrlimit) would make allocations fail, which neither libav nor libx264 survives at every
/// place; this way the work ends with its reason.
class Watchdog {
 public:
  Watchdog(StopToken& token, const Limits& limits, ForcedEnd forced_end = {});
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog();

  /// The signal that came, 0 = none.
  int signal() const { return signal_.load(); }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Event { Ended, Signal, TimeUp, MemoryUp };

  void run();
  Event wait(Clock::time_point until, int64_t most_memory);
  void end_after_grace(Event cause);
  void remove_output() const;
  void tell(const char* message) const;

  StopToken& token_;
  double wall_time_s_;
  int64_t max_memory_bytes_;
  ForcedEnd forced_end_;
  std::atomic<int> signal_{0};
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

/// Bytes of physical memory the process has; 0 where the system does not tell.
int64_t resident_bytes();

}  // namespace millrace::jobs
