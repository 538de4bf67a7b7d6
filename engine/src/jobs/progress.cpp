#include "jobs/progress.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace millrace::jobs {

namespace {
constexpr auto kInterval = std::chrono::milliseconds(450);
}  // namespace

double rounded(double value, double unit) {
  return std::round(value / unit) * unit;
}

Progress::Progress(Report& report, Observe observe)
    : report_(report), observe_(std::move(observe)), thread_([this] { run(); }) {}

Progress::~Progress() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Progress::run() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kInterval, [this] { return ended_; })) emit();
}

void Progress::emit() {
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started_;
  report_.emit(observe_(std::max(0.001, elapsed.count())));
}

}  // namespace millrace::jobs
