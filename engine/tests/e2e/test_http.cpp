#include <catch2/catch.hpp>

#include "e2e/range_server.h"
#include "e2e/support.h"

using e2e::clip;
using e2e::Finished;
using e2e::RangeServer;
using Fault = e2e::RangeServer::Fault;

namespace {
void check_failure(const Finished& finished, const std::string& code) {
  INFO(finished.out << finished.log);
  CHECK(finished.exit_code == 5);
  CHECK(finished.last().at("code") == code);
  CHECK((finished.out + finished.log).find("secret") == std::string::npos);
}
}  // namespace

TEST_CASE("a URL gives the same output as the file when transcoded") {
  const auto plan = e2e::plan_for(clip("base.mp4"));
  const auto local = e2e::transcode_with(clip("base.mp4"), e2e::scratch("http-local"), plan).folder;
  RangeServer server(e2e::read_file(clip("base.mp4")));
  const auto remote = e2e::transcode_with(server.url(), e2e::scratch("http-remote"), plan,
                                          {"--if-match", "\"one\""})
                          .folder;
  for (const std::string track : {"120p", "audio-0"}) {
    CHECK(e2e::differing_frames(e2e::join(local, track), e2e::join(remote, track)) == 0);
  }
}

TEST_CASE("reading goes on when the server fails and drops connections for a while") {
  auto content = e2e::read_file(clip("base.mp4"));
  content.resize(content.size() + (3 << 20));  // several blocks
  RangeServer server(content);
  server.faults([](int request) {
    if (request == 0 || request == 3) return Fault::ServerError;
    return request == 2 || request == 5 ? Fault::CutShort : Fault::None;
  });
  const Finished finished = e2e::engine({"probe", server.url()});
  INFO(finished.out << finished.log);
  CHECK(finished.exit_code == 0);
  CHECK(server.requests() >= 2);
}

TEST_CASE("the source is missing when the server says 404") {
  RangeServer server({1, 2, 3});
  server.faults([](int) { return Fault::Missing; });
  check_failure(e2e::engine({"probe", server.url()}), "SOURCE_MISSING");
  CHECK(server.requests() == 1);
}

TEST_CASE("the source has changed when its tag is another") {
  RangeServer other(e2e::read_file(clip("base.mp4")));
  check_failure(e2e::engine({"probe", other.url(), "--if-match", "\"zero\""}), "SOURCE_CHANGED");

  // The index is at the end of 5 MiB, so that it takes more than one request.
  const auto movie = e2e::read_file(clip("faststart.mp4"));
  std::vector<uint8_t> content = {0, 0x50, 0, 0, 'f', 'r', 'e', 'e'};
  content.resize(5 << 20);
  content.insert(content.end(), movie.begin(), movie.end());
  RangeServer changing(content);
  changing.change_tag_at(1);
  check_failure(e2e::engine({"probe", changing.url()}), "SOURCE_CHANGED");
}

TEST_CASE("the source is unreadable when access is refused or redirected") {
  RangeServer server({1, 2, 3});
  server.faults([](int) { return Fault::Forbidden; });
  check_failure(e2e::engine({"probe", server.url()}), "SOURCE_UNREADABLE");
  server.faults([](int) { return Fault::Redirect; });
  check_failure(e2e::engine({"probe", server.url()}), "SOURCE_UNREADABLE");
}

TEST_CASE("the file is empty when the server has no byte of it") {
  RangeServer server({});
  const Finished finished = e2e::engine({"probe", server.url()});
  CHECK(finished.exit_code == 3);
  CHECK(finished.last().at("code") == "EMPTY_FILE");
}

TEST_CASE("a server that ignores ranges is refused when the file is large") {
  RangeServer server(std::vector<uint8_t>(3 << 20, 7));
  server.faults([](int) { return Fault::IgnoreRange; });
  check_failure(e2e::engine({"probe", server.url()}), "SOURCE_UNREADABLE");
  CHECK(server.requests() < 10);
}

TEST_CASE("few bytes are read when a large file is probed") {
  auto content = e2e::read_file(clip("faststart.mp4"));
  const std::string free_box(
      "\x06\x00\x00\x00"
      "free",
      8);  // 96 MiB of nothing at the end
  content.insert(content.end(), free_box.begin(), free_box.end());
  content.resize(content.size() + (96 << 20) - 8);
  RangeServer server(content);
  const Finished finished = e2e::engine({"probe", server.url()});
  REQUIRE(finished.exit_code == 0);
  CHECK(finished.last().at("format").at("bytes_read").get<int64_t>() < 4 << 20);
  CHECK(server.body_bytes() < 4 << 20);
}
