#include "media/fetcher.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill is POSIX
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "media/curl_client.h"
#include "millrace/engine.h"

namespace millrace::media {

namespace {

constexpr size_t kLanes = 32;  // each open source has two
constexpr int kLookMs = 50;    // how soon a wait notices that it is cancelled
constexpr uint32_t kLongestTag = 4096;
constexpr int64_t kLongestRange = int64_t{64} << 20;

struct Request {
  int64_t offset;
  int64_t length;
  uint32_t tag_bytes;
};

struct AnswerHead {
  Transfer transfer;
  uint32_t tag_bytes;
  int64_t status;
  int64_t total;
  int64_t body_bytes;
};

template <typename Value>
std::span<uint8_t> bytes_of(Value& value) {
  return {reinterpret_cast<uint8_t*>(&value), sizeof value};
}

/// False when cancelled or when the other side has gone.
bool ready(int lane, short events, const Cancelled& cancelled) {
  for (;;) {
    if (cancelled()) return false;
    pollfd look{lane, events, 0};
    const int found = ::poll(&look, 1, kLookMs);
    if (found > 0) return (look.revents & events) != 0;
    if (found < 0 && errno != EINTR) return false;
  }
}

bool receive(int lane, std::span<uint8_t> into, const Cancelled& cancelled) {
  while (!into.empty()) {
    if (!ready(lane, POLLIN, cancelled)) return false;
    const ssize_t got = ::read(lane, into.data(), into.size());
    if (got <= 0) return false;
    into = into.subspan(static_cast<size_t>(got));
  }
  return true;
}

bool send(int lane, std::span<const uint8_t> bytes, const Cancelled& cancelled) {
  while (!bytes.empty()) {
    if (!ready(lane, POLLOUT, cancelled)) return false;
    const ssize_t sent = ::write(lane, bytes.data(), bytes.size());
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(sent));
  }
  return true;
}

bool send_text(int lane, const std::string& text, const Cancelled& cancelled) {
  return send(lane, {reinterpret_cast<const uint8_t*>(text.data()), text.size()}, cancelled);
}

std::optional<std::string> receive_text(int lane, uint32_t length, const Cancelled& cancelled) {
  if (length > kLongestTag) return std::nullopt;
  std::string text(length, '\0');
  const bool whole = receive(lane, {reinterpret_cast<uint8_t*>(text.data()), length}, cancelled);
  return whole ? std::optional(std::move(text)) : std::nullopt;
}

bool hung_up(int lane) {
  pollfd look{lane, POLLRDHUP, 0};
  return ::poll(&look, 1, 0) > 0;
}

/// In the fetcher: answers what is asked on one lane until that is closed.
void serve(int lane, const std::string& url) {
  const Cancelled never = [] { return false; };
  CurlClient client(url, [lane] { return hung_up(lane); });
  Request request{};
  while (receive(lane, bytes_of(request), never)) {
    if (request.offset < 0 || request.length <= 0 || request.length > kLongestRange) break;
    const auto tag = receive_text(lane, request.tag_bytes, never);
    if (!tag) break;
    RangeAnswer answer = client.get(*tag, request.offset, request.length);
    if (answer.entity_tag.size() > kLongestTag) answer.entity_tag.clear();
    AnswerHead head{answer.transfer, static_cast<uint32_t>(answer.entity_tag.size()), answer.status,
                    answer.total, static_cast<int64_t>(answer.body.size())};
    if (!send(lane, bytes_of(head), never) || !send_text(lane, answer.entity_tag, never) ||
        !send(lane, answer.body, never)) {
      break;
    }
  }
  ::close(lane);
}

/// In the fetcher: gives each lane that is used a thread, and lives until it is killed.
[[noreturn]] void serve_all(const std::string& url, std::vector<int> lanes) {
  while (!lanes.empty()) {
    std::vector<pollfd> looks;
    looks.reserve(lanes.size());
    for (const int lane : lanes) looks.push_back({lane, POLLIN, 0});
    if (::poll(looks.data(), looks.size(), -1) <= 0) continue;
    for (const pollfd& look : looks) {
      if (look.revents == 0) continue;
      std::erase(lanes, look.fd);
      std::thread([lane = look.fd, &url] {
        try {
          serve(lane, url);
        } catch (...) {
          ::close(lane);
        }
      }).detach();
    }
  }
  for (;;) ::pause();
}

/// The lanes nobody uses, on this side.
struct Lanes {
  std::mutex mutex;
  std::string url;
  std::vector<int> free;
};

Lanes& lanes() {
  static Lanes all;
  return all;
}

/// One lane, on this side.
class LaneClient final : public RangeClient {
 public:
  LaneClient(int lane, Cancelled cancelled) : lane_(lane), cancelled_(std::move(cancelled)) {}
  LaneClient(const LaneClient&) = delete;
  LaneClient& operator=(const LaneClient&) = delete;
  ~LaneClient() override {
    if (busy_) {
      ::close(lane_);  // an answer nobody waits for is on its way
      return;
    }
    const std::lock_guard lock(lanes().mutex);
    lanes().free.push_back(lane_);
  }

  RangeAnswer get(const std::string& entity_tag, int64_t offset, int64_t length) override {
    busy_ = true;
    Request request{offset, length, static_cast<uint32_t>(entity_tag.size())};
    RangeAnswer answer;
    const bool answered = send(lane_, bytes_of(request), cancelled_) &&
                          send_text(lane_, entity_tag, cancelled_) && take(length, answer);
    if (!answered && !cancelled_()) {
      throw EngineError(Reason::SourceUnreadable, "The process that fetches the source has ended.");
    }
    busy_ = !answered;
    return answer;
  }

 private:
  bool take(int64_t length, RangeAnswer& answer) {
    AnswerHead head{};
    if (!receive(lane_, bytes_of(head), cancelled_)) return false;
    auto tag = receive_text(lane_, head.tag_bytes, cancelled_);
    if (!tag || head.body_bytes < 0 || head.body_bytes > length) return false;
    answer.transfer = head.transfer;
    answer.status = static_cast<long>(head.status);
    answer.total = head.total;
    answer.entity_tag = std::move(*tag);
    answer.body.resize(static_cast<size_t>(head.body_bytes));
    return receive(lane_, answer.body, cancelled_);
  }

  int lane_;
  Cancelled cancelled_;
  bool busy_ = false;
};

/// In the fetcher: it ends with its parent and by nothing else, and has nothing of it but the
/// lanes.
void detach_from(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, stream);
}

}  // namespace

Fetcher::Fetcher(std::string url, const std::function<void()>& confine) {
  std::vector<int> theirs;
  for (size_t n = 0; n < kLanes; ++n) {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
      throw EngineError(Reason::Internal, "There are too many open files to fetch the source.");
    }
    lanes().free.push_back(pair[0]);
    theirs.push_back(pair[1]);
  }
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ < 0) {
    throw EngineError(Reason::Internal, "There is no process left to fetch the source.");
  }
  if (process_ == 0) {
    for (const int lane : lanes().free) ::close(lane);
    detach_from(parent);
    confine();
    serve_all(url, std::move(theirs));
  }
  for (const int lane : theirs) ::close(lane);
  lanes().url = std::move(url);
}

Fetcher::~Fetcher() {
  ::kill(process_, SIGKILL);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  const std::lock_guard lock(lanes().mutex);
  for (const int lane : lanes().free) ::close(lane);
  lanes().free.clear();
  lanes().url.clear();
}

std::unique_ptr<RangeClient> Fetcher::connect(const std::string& url, Cancelled cancelled) {
  const std::lock_guard lock(lanes().mutex);
  if (lanes().url != url) return nullptr;
  if (lanes().free.empty()) {
    throw EngineError(Reason::Internal, "The source was opened too many times at once.");
  }
  const int lane = lanes().free.back();
  lanes().free.pop_back();
  return std::make_unique<LaneClient>(lane, std::move(cancelled));
}

}  // namespace millrace::media
