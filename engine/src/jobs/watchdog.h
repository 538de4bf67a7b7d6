/// Ends the process in time: on SIGTERM, SIGINT or SIGHUP, and at the wall-time limit.
#pragma once

#include <atomic>
#include <thread>

#include "millrace/engine.h"

namespace millrace::jobs {

/// Construct before any other thread: it blocks the signals for all of them and takes them itself.
/// Work is asked to stop through the token; if it does not within a grace period (a decoder stuck
/// inside one call), the process ends without it. Outputs appear by rename, so none is partial.
class Watchdog {
 public:
  Watchdog(StopToken& token, double wall_time_s);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog();

  /// The signal that came, 0 = none.
  int signal() const { return signal_.load(); }

 private:
  void run(double wall_time_s);
  bool wait_signal(double seconds);
  void end_after_grace();

  StopToken& token_;
  std::atomic<int> signal_{0};
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace millrace::jobs
