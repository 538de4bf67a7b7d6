/// Progress events twice a second while work goes on.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "jobs/report.h"

namespace millrace::jobs {

/// How far the work is at one moment.
struct Snapshot {
  int64_t frames = 0;      ///< output frames of the highest rendition
  double share = 0;        ///< of the work, 0 to 1
  double media_s = 0;      ///< seconds of output
  int64_t bytes_read = 0;  ///< of the source
};

class Progress {
 public:
  using Observe = std::function<Snapshot()>;

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

}  // namespace millrace::jobs
