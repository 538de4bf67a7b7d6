#include "e2e/range_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace e2e {

RangeServer::RangeServer(std::vector<uint8_t> content) : content_(std::move(content)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  ::listen(listener_, 16);
  socklen_t length = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_loop(); });
}

RangeServer::~RangeServer() {
  closing_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int connection : connections_) ::shutdown(connection, SHUT_RDWR);
  }
  for (auto& worker : workers_) worker.join();
  for (const int connection : connections_) ::close(connection);
  ::close(listener_);
}

std::string RangeServer::url() const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/video?X-Amz-Signature=secret";
}

void RangeServer::faults(Decide decide) {
  decide_ = std::move(decide);
}

void RangeServer::accept_loop() {
  while (!closing_) {
    const int connection = ::accept(listener_, nullptr, nullptr);
    if (connection < 0) continue;
    const std::lock_guard lock(mutex_);
    connections_.push_back(connection);
    workers_.emplace_back([this, connection] { serve(connection); });
  }
}

void RangeServer::serve(int connection) {
  std::string pending;
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto end = pending.find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::string request = pending.substr(0, end);
      pending.erase(0, end + 4);
      if (!answer(connection, request)) break;
      continue;
    }
    const ssize_t got = ::recv(connection, buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    pending.append(buffer.data(), static_cast<size_t>(got));
  }
  ::shutdown(connection, SHUT_RDWR);
}

bool RangeServer::send_text(int connection, const std::string& text) const {
  return ::send(connection, text.data(), text.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(text.size());
}

bool RangeServer::answer(int connection, const std::string& request) {
  const int number = requests_++;
  const Fault fault = decide_ ? decide_(number) : Fault::None;
  const std::string tag = number >= tag_change_ ? "\"two\"" : "\"one\"";
  const auto head = [&](const std::string& status, int64_t length, const std::string& more) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(length) +
           "\r\nETag: " + tag + "\r\n" + more + "\r\n";
  };
  if (fault == Fault::ServerError) return send_text(connection, head("503 Slow Down", 0, ""));
  if (fault == Fault::Missing) return send_text(connection, head("404 Not Found", 0, ""));
  if (fault == Fault::Forbidden) return send_text(connection, head("403 Forbidden", 0, ""));
  if (fault == Fault::Redirect) {
    return send_text(connection, head("302 Found", 0, "Location: http://127.0.0.1:1/\r\n"));
  }
  const auto match = request.find("If-Match: ");
  if (match != std::string::npos && request.compare(match + 10, tag.size(), tag) != 0) {
    return send_text(connection, head("412 Precondition Failed", 0, ""));
  }
  const auto size = static_cast<int64_t>(content_.size());
  int64_t first = 0;
  int64_t last = size - 1;
  const auto range = request.find("Range: bytes=");
  const bool ranged =
      range != std::string::npos && fault != Fault::IgnoreRange &&
      std::sscanf(request.c_str() + range, "Range: bytes=%ld-%ld", &first, &last) == 2;
  if (ranged && first >= size) {
    const std::string total = "Content-Range: bytes */" + std::to_string(size) + "\r\n";
    return send_text(connection, head("416 Range Not Satisfiable", 0, total));
  }
  last = std::min(last, size - 1);
  const int64_t length = last - first + 1;
  const std::string content_range = "Content-Range: bytes " + std::to_string(first) + "-" +
                                    std::to_string(last) + "/" + std::to_string(size) + "\r\n";
  if (!send_text(connection, head(ranged ? "206 Partial Content" : "200 OK", length,
                                  ranged ? content_range : ""))) {
    return false;
  }
  const int64_t sent = fault == Fault::CutShort ? length / 2 : length;
  body_bytes_ += sent;
  const std::string body(content_.begin() + first, content_.begin() + first + sent);
  return send_text(connection, body) && fault != Fault::CutShort;
}

}  // namespace e2e
