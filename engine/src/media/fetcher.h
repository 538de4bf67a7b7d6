/// A process of its own that talks to the source's server, so that the process that reads what the
/// server sent, and may be overpowered by it, needs no network.
///
/// It knows one URL, from its start on; asked for a range of it, it answers with the bytes. Both
/// speak over socket pairs that exist before the fork: the other side can open none.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "media/range_client.h"

namespace millrace::media {

class Fetcher {
 public:
  /// Forks; to be called before there are threads. `confine` runs in the new process first.
  /// Throws `EngineError` where the system has no process left.
  Fetcher(std::string url, const std::function<void()>& confine);
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;
  /// Ends the process and waits until it has gone.
  ~Fetcher();

  pid_t process() const { return process_; }

  /// A connection of the running fetcher of `url`; null where there is none.
  static std::unique_ptr<RangeClient> connect(const std::string& url, Cancelled cancelled);

 private:
  pid_t process_ = -1;
};

}  // namespace millrace::media
