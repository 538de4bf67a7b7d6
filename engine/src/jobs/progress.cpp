#include "jobs/progress.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace millrace::jobs {

namespace {
constexpr auto kInterval = std::chrono::milliseconds(500);
double rounded(double value, double unit) {
  return std::round(value / unit) * unit;
}
}  // namespace

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
  const Snapshot now = observe_();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started_;
  const double elapsed_s = std::max(0.001, elapsed.count());
  const double share = std::clamp(now.share, 0.0, 1.0);
  nlohmann::ordered_json event = {
      {"type", "progress"},
      {"percent", rounded(share * 100, 0.1)},
      {"frames", now.frames},
      {"fps", rounded(static_cast<double>(now.frames) / elapsed_s, 0.1)},
      {"speed", rounded(now.media_s / elapsed_s, 0.01)},
      {"eta_s", nullptr},
      {"bytes_read", now.bytes_read}};
  constexpr double kEnoughToGuess = 0.005;
  if (share > kEnoughToGuess) event["eta_s"] = rounded(elapsed_s * (1 - share) / share, 0.1);
  report_.emit(event);
}

}  // namespace millrace::jobs
