#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "e2e/support.h"

using e2e::clip;
using e2e::Finished;
using e2e::json;

namespace {

void check_failure(const Finished& finished, int exit_code, const std::string& code) {
  INFO(finished.out << finished.log);
  CHECK(finished.exit_code == exit_code);
  CHECK(finished.last().at("type") == "error");
  CHECK(finished.last().at("code") == code);
  CHECK(finished.last().at("message").get<std::string>().size() > 20);
}

void check_probe_fails(const std::string& path, int exit_code, const std::string& code) {
  CAPTURE(path);
  check_failure(e2e::engine({"probe", path}), exit_code, code);
}

/// A port on this machine that nobody must connect to.
class ForbiddenPort {
 public:
  ForbiddenPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(socket_, 4) == 0);
    socklen_t length = sizeof address;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
  }
  ForbiddenPort(const ForbiddenPort&) = delete;
  ForbiddenPort& operator=(const ForbiddenPort&) = delete;
  ~ForbiddenPort() { ::close(socket_); }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/x.ts"; }
  bool was_connected() const { return ::accept(socket_, nullptr, nullptr) >= 0; }

 private:
  int socket_;
  int port_ = 0;
};

}  // namespace

TEST_CASE("a precise error is told when the file is no usable video") {
  check_probe_fails(clip("empty.mp4"), 3, "EMPTY_FILE");
  check_probe_fails(clip("text.mp4"), 3, "NOT_A_VIDEO");
  check_probe_fails(clip("picture.png"), 3, "NOT_A_VIDEO");
  check_probe_fails(clip("audio.m4a"), 4, "NO_VIDEO_STREAM");
  check_probe_fails(clip("audio.mp3"), 4, "NO_VIDEO_STREAM");
  check_probe_fails(clip("cover.m4a"), 4, "NO_VIDEO_STREAM");
  check_probe_fails("/nonexistent/file.mp4", 5, "SOURCE_MISSING");
  check_probe_fails("/", 5, "SOURCE_UNREADABLE");
}

TEST_CASE("truncation is told when the file was cut") {
  check_probe_fails(clip("no_index.mp4"), 3, "CORRUPT");
  const json no_index = e2e::engine({"probe", clip("no_index.mp4")}).last();
  CHECK(no_index.at("message").get<std::string>().find("truncated") != std::string::npos);
  check_probe_fails(clip("cut.mp4"), 3, "CORRUPT");
  const json cut = e2e::engine({"probe", clip("cut.mp4")}).last();
  CHECK(cut.at("position_s").get<double>() > 0.5);
  CHECK(cut.at("position_s").get<double>() < 2.9);
  check_probe_fails(clip("cut.mkv"), 3, "CORRUPT");
}

TEST_CASE("what is there is used with a warning when a little is missing") {
  const Finished probed = e2e::engine({"probe", clip("cut_little.mp4")});
  REQUIRE(probed.exit_code == 0);
  CHECK(probed.last().at("warnings").at(0).at("code") == "TRUNCATED");
  const auto ladder = e2e::transcode(clip("cut_little.mp4"), e2e::scratch("cut_little"));
  CHECK_FALSE(ladder.finished.last().at("warnings").empty());
  CHECK(ladder.finished.last().at("frames").get<int>() >= 70);
}

TEST_CASE("nothing is opened when a file points elsewhere") {
  const ForbiddenPort port;
  const auto folder = e2e::scratch("references");
  const std::string url = port.url();
  const std::vector<std::pair<std::string, std::string>> files = {
      {"a.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n" + url + "\n#EXT-X-ENDLIST\n"},
      {"b.mp4", "#EXTM3U\n#EXTINF:5,\nfile:///etc/passwd\n"},
      {"c.txt", "ffconcat version 1.0\nfile '" + url + "'\n"},
      {"d.mp4", "file '/etc/passwd'\nfile '" + url + "'\n"},
      {"e.mpd", "<?xml version=\"1.0\"?><MPD><BaseURL>" + url + "</BaseURL></MPD>"},
      {"f.avi", "RIFF" + std::string("\xff\xff\0\0", 4) + "AVI LIST" + std::string(64, '\0') +
                    "GAB2#EXTM3U\n#EXTINF:1,\n" + url + "\n"},
      {"g.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"},
  };
  for (const auto& [name, content] : files) {
    e2e::write_file(folder / name, content);
    check_probe_fails(folder / name, 4, "EXTERNAL_REFERENCE");
    check_failure(e2e::engine({"thumbnail", folder / name, "--times", "1", "--output", folder}), 4,
                  "EXTERNAL_REFERENCE");
    check_failure(e2e::engine({"transcode", folder / name, "--plan",
                               e2e::save_plan(e2e::plan_for(clip("silent.mp4")), folder),
                               "--output", folder}),
                  4, "EXTERNAL_REFERENCE");
  }
  CHECK_FALSE(port.was_connected());
}

TEST_CASE("a limit stops the work when it is exceeded") {
  const std::string base = clip("base.mp4");
  check_failure(e2e::engine({"probe", base, "--max-pixels", "1000"}), 6, "LIMIT_EXCEEDED");
  check_failure(e2e::engine({"probe", base, "--max-duration-s", "1"}), 6, "LIMIT_EXCEEDED");
  check_failure(e2e::engine({"probe", base, "--max-streams", "1"}), 6, "LIMIT_EXCEEDED");
  check_failure(e2e::engine({"probe", base, "--max-bytes-read", "1000"}), 6, "LIMIT_EXCEEDED");
  json plan = e2e::plan_for(base, {1080});
  plan["video"]["preset"] = "placebo";
  const auto folder = e2e::scratch("wall_time");
  check_failure(e2e::engine({"transcode", base, "--plan", e2e::save_plan(plan, folder), "--output",
                             folder, "--wall-time-s", "0.3"}),
                6, "LIMIT_EXCEEDED");
}

TEST_CASE("the engine ends in order when bytes are flipped or the file is cut anywhere") {
  const auto folder = e2e::scratch("damage");
  const auto original = e2e::read_file(clip("faststart.mp4"));
  const auto plan = e2e::save_plan(e2e::plan_for(clip("base.mp4"), {60}), folder);
  uint32_t state = 12345;
  const auto random = [&state] { return state = state * 1664525 + 1013904223; };
  for (int round = 0; round < 10; ++round) {
    auto bytes = original;
    if (round < 4) {
      bytes.resize(bytes.size() * static_cast<size_t>(round + 1) / 5);
    } else {
      for (int n = 0; n < 30; ++n)
        bytes[random() % bytes.size()] ^= static_cast<uint8_t>(random() >> 24);
    }
    e2e::write_file(folder / "bad.mp4", {bytes.begin(), bytes.end()});
    const Finished finished = e2e::engine({"transcode", folder / "bad.mp4", "--plan", plan,
                                           "--output", folder / "out", "--wall-time-s", "60"});
    CAPTURE(round, finished.out, finished.log);
    const std::vector<int> orderly = {0, 3, 4, 5, 6};
    CHECK(std::find(orderly.begin(), orderly.end(), finished.exit_code) != orderly.end());
    const std::string expected = finished.exit_code == 0 ? "result" : "error";
    CHECK(finished.last().at("type") == expected);
  }
}
