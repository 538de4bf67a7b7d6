/// Progress events twice a second while work goes on.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "jobs/report.h"

namespace millrace::jobs {

class Progress {
 public:
  /// The event, given the seconds since the start (above 0).
  using Observe = std::function<nlohmann::ordered_json(double elapsed_s)>;

  Progress(Report& report, Observe observe);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

 private:
  void run();
  void emit();

  Report& report_;
  Observe observe_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::thread thread_;
};

/// `value` as a whole number of `unit`.
double rounded(double value, double unit);

}  // namespace millrace::jobs
