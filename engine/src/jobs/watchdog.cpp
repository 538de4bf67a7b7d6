#include "jobs/watchdog.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigset_t is POSIX
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace millrace::jobs {

namespace {

constexpr double kGraceS = 3;
constexpr int kWakeUp = SIGUSR1;
constexpr double kLongestSliceS = 3600;
constexpr double kMemorySliceS = 0.01;

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

std::chrono::steady_clock::duration after(double seconds) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double>(seconds));
}

/// The signal that came within `seconds`, or a negative number.
int next_signal(double seconds) {
  const sigset_t set = watched_signals();
  const auto whole = static_cast<time_t>(seconds);
  const timespec wait{whole, static_cast<long>((seconds - static_cast<double>(whole)) * 1e9)};
  return sigtimedwait(&set, nullptr, &wait);
}

}  // namespace

int64_t resident_bytes() {
  // Opened once, at the start: a confined process may open it no more.
  static const int kPages = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  std::array<char, 128> text{};
  const ssize_t length = ::pread(kPages, text.data(), text.size() - 1, 0);
  const std::string_view fields{text.data(), static_cast<size_t>(std::max<ssize_t>(length, 0))};
  const size_t second = fields.find(' ');
  if (second == std::string_view::npos) return 0;
  int64_t resident = 0;
  std::from_chars(fields.data() + second + 1, fields.data() + fields.size(), resident);
  return resident * ::sysconf(_SC_PAGESIZE);
}

Watchdog::Watchdog(StopToken& token, const Limits& limits, ForcedEnd forced_end)
    : token_(token),
      wall_time_s_(limits.wall_time_s),
      max_memory_bytes_(limits.max_memory_bytes),
      forced_end_(std::move(forced_end)) {
  const sigset_t set = watched_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::thread([this] { run(); });
}

Watchdog::~Watchdog() {
  ended_.store(true);
  pthread_kill(thread_.native_handle(), kWakeUp);
  thread_.join();
}

/// What comes first; `most_memory` 0 = memory is not looked at.
Watchdog::Event Watchdog::wait(Clock::time_point until, int64_t most_memory) {
  while (!ended_.load()) {
    const std::chrono::duration<double> left = until - Clock::now();
    if (left.count() <= 0) return Event::TimeUp;
    if (most_memory > 0 && resident_bytes() > most_memory) return Event::MemoryUp;
    const double slice = most_memory > 0 ? kMemorySliceS : kLongestSliceS;
    const int signal = next_signal(std::min(left.count(), slice));
    if (signal > 0 && signal != kWakeUp) {
      signal_.store(signal);
      return Event::Signal;
    }
  }
  return Event::Ended;
}

void Watchdog::run() {
  constexpr double kForever = 1e9;
  const auto until = Clock::now() + after(wall_time_s_ > 0 ? wall_time_s_ : kForever);
  const Event event = wait(until, max_memory_bytes_);
  switch (event) {
    case Event::Ended:
      return;
    case Event::Signal:
      token_.request_stop();
      break;
    case Event::TimeUp:
      token_.request_time_out();
      break;
    case Event::MemoryUp:
      token_.request_memory_out();
      break;
  }
  end_after_grace(event);
}

/// What does not stop within the grace, or goes on growing meanwhile, is ended from here.
void Watchdog::end_after_grace(Event cause) {
  const int64_t most = cause == Event::MemoryUp ? max_memory_bytes_ + max_memory_bytes_ / 8 : 0;
  const double grace_s = cause == Event::Signal ? forced_end_.grace_s : kGraceS;
  const auto until = Clock::now() + after(grace_s);
  Event event = Event::Signal;
  while (event == Event::Signal) event = wait(until, most);  // further signals change nothing
  if (event == Event::Ended) return;
  remove_output();
  if (cause == Event::Signal) ::_exit(128 + signal_.load());
  tell(cause == Event::TimeUp ? "The work took longer than the wall time allowed."
                              : "The work needed more memory than is allowed.");
  ::_exit(exit_code(Reason::LimitExceeded));
}

void Watchdog::remove_output() const {
  std::error_code error;
  const std::filesystem::path& file = forced_end_.output_file;
  if (!file.empty() && std::filesystem::is_regular_file(file, error)) {
    std::filesystem::remove(file, error);
  }
}

void Watchdog::tell(const char* message) const {
  write_if_possible(std::string{"\n{\"type\":\"error\",\""} + forced_end_.keys.reason +
                    R"(":"LIMIT_EXCEEDED","message":")" + message + "\"}\n");
}

}  // namespace millrace::jobs
