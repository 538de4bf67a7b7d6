#include "jobs/watchdog.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigset_t is POSIX
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <string_view>

namespace millrace::jobs {

namespace {

constexpr double kGraceS = 3;
constexpr int kWakeUp = SIGUSR1;

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, kWakeUp}) sigaddset(&set, signal);
  return set;
}

void write_if_possible(std::string_view line) {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  // A reader that stopped reading must not keep the process alive.
  if (::poll(&out, 1, 0) == 1) {
    static_cast<void>(!::write(STDOUT_FILENO, line.data(), line.size()));
  }
}

}  // namespace

Watchdog::Watchdog(StopToken& token, double wall_time_s) : token_(token) {
  const sigset_t set = watched_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::thread([this, wall_time_s] { run(wall_time_s); });
}

Watchdog::~Watchdog() {
  ended_.store(true);
  pthread_kill(thread_.native_handle(), kWakeUp);
  thread_.join();
}

/// True when the wait was ended by a signal (which is then noted), false when the time was up.
bool Watchdog::wait_signal(double seconds) {
  const sigset_t set = watched_signals();
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!ended_.load()) {
    const std::chrono::duration<double> left = until - std::chrono::steady_clock::now();
    if (left.count() <= 0) return false;
    const double slice = std::min(left.count(), 3600.0);
    const auto whole = static_cast<time_t>(slice);
    const timespec wait{whole, static_cast<long>((slice - static_cast<double>(whole)) * 1e9)};
    const int signal = sigtimedwait(&set, nullptr, &wait);
    if (signal > 0 && signal != kWakeUp) {
      signal_.store(signal);
      return true;
    }
  }
  return true;
}

void Watchdog::run(double wall_time_s) {
  constexpr double kForever = 1e9;
  const bool signalled = wait_signal(wall_time_s > 0 ? wall_time_s : kForever);
  if (ended_.load()) return;
  if (signalled) {
    token_.request_stop();
  } else {
    token_.request_time_out();
  }
  end_after_grace();
}

void Watchdog::end_after_grace() {
  const bool timed_out = signal_.load() == 0;
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(kGraceS);
  while (!ended_.load()) {
    const std::chrono::duration<double> left = until - std::chrono::steady_clock::now();
    if (left.count() <= 0) break;
    wait_signal(left.count());
  }
  if (ended_.load()) return;
  if (!timed_out) ::_exit(128 + signal_.load());
  write_if_possible(
      "\n{\"type\":\"error\",\"code\":\"LIMIT_EXCEEDED\",\"message\":\"The work took longer than "
      "the wall time allowed.\"}\n");
  ::_exit(exit_code(Reason::LimitExceeded));
}

}  // namespace millrace::jobs
