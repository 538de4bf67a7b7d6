/// A small HTTP server of one object with byte ranges, and the faults real servers have.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace e2e {

class RangeServer {
 public:
  enum class Fault { None, ServerError, CutShort, Missing, Forbidden, Redirect, IgnoreRange };
  /// Decides about the n-th request (from 0).
  using Decide = std::function<Fault(int request)>;

  explicit RangeServer(std::vector<uint8_t> content);
  RangeServer(const RangeServer&) = delete;
  RangeServer& operator=(const RangeServer&) = delete;
  ~RangeServer();

  std::string url() const;
  void faults(Decide decide);
  /// Replaces the entity tag from the n-th request on.
  void change_tag_at(int request) { tag_change_ = request; }
  int requests() const { return requests_.load(); }
  int64_t body_bytes() const { return body_bytes_.load(); }

 private:
  void accept_loop();
  void serve(int connection);
  bool answer(int connection, const std::string& request);
  bool send_text(int connection, const std::string& text) const;

  std::vector<uint8_t> content_;
  Decide decide_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> requests_{0};
  std::atomic<int64_t> body_bytes_{0};
  std::atomic<int> tag_change_{1 << 30};
  std::atomic<bool> closing_{false};
  std::mutex mutex_;
  std::vector<int> connections_;
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

}  // namespace e2e
