/// A thread whose failure is met by those who wait for it.
#pragma once

#include <algorithm>
#include <exception>
#include <functional>
#include <mutex>
#include <semaphore>
#include <thread>
#include <utility>

namespace millrace::media {

/// How many threads a request means; 0 = one per processor.
inline int thread_count(int requested) {
  if (requested > 0) return requested;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// Limits how many threads compute at the same time.
class CpuPermits {
 public:
  explicit CpuPermits(int count) : permits_(count) {}
  void acquire() { permits_.acquire(); }
  void release() { permits_.release(); }

 private:
  std::counting_semaphore<> permits_;
};

/// Holds one permit while computing.
class CpuPermit {
 public:
  explicit CpuPermit(CpuPermits& permits) : permits_(permits) { permits_.acquire(); }
  CpuPermit(const CpuPermit&) = delete;
  CpuPermit& operator=(const CpuPermit&) = delete;
  ~CpuPermit() { permits_.release(); }

 private:
  CpuPermits& permits_;
};

class WorkerThread {
 public:
  /// Runs `work`; if it throws, `on_failure` is called once the failure is noted.
  WorkerThread(std::function<void()> work, std::function<void()> on_failure)
      : work_(std::move(work)), on_failure_(std::move(on_failure)), thread_([this] { run(); }) {}
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;
  ~WorkerThread() { join(); }

  void join() {
    if (thread_.joinable()) thread_.join();
  }
  /// Throws what ended the work, if something did.
  void rethrow() {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void run() {
    try {
      work_();
    } catch (...) {  // handed to the thread that asks; reported in main
      {
        const std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
      }
      on_failure_();
    }
  }

  std::function<void()> work_;
  std::function<void()> on_failure_;
  std::mutex mutex_;
  std::exception_ptr failure_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace millrace::media
