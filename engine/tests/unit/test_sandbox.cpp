#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "jobs/sandbox.h"

namespace fs = std::filesystem;
using millrace::jobs::confine;
using millrace::jobs::SandboxRules;

namespace {

constexpr int kNoWalls = 200;

/// A folder with a file to read, a folder to write to, and what must stay out of reach.
struct Place {
  Place() {
    std::string pattern = (fs::temp_directory_path() / "millrace-sandbox-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    root = pattern;
    fs::create_directory(root / "out");
    std::ofstream{root / "source"} << "source";
    std::ofstream{root / "secret"} << "secret";
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { fs::remove_all(root); }

  SandboxRules rules() const { return {.read = {root / "source"}, .write = {root / "out"}}; }

  fs::path root;
};

/// What `act` returns in a process confined by `rules`: 0, or the error's number.
int confined(const SandboxRules& rules, const std::function<int()>& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!confine(rules).whole()) ::_exit(kNoWalls);
    ::_exit(act());
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) != kNoWalls);
  return WEXITSTATUS(status);
}

/// 0, or why a system call did not work.
int outcome(long result) {
  return result < 0 ? errno : 0;
}

int opened(const fs::path& path, int flags) {
  return outcome(::open(path.c_str(), flags | O_CLOEXEC, 0600));
}

int connected_to_loopback() {
  const int connection = ::socket(AF_INET, SOCK_STREAM, 0);
  if (connection < 0) return errno;
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(9);
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return outcome(::connect(connection, reinterpret_cast<sockaddr*>(&server), sizeof server));
}

int another_program() {
  std::array<char, 10> name{"/bin/true"};
  std::array<char*, 2> arguments{name.data(), nullptr};
  return outcome(::execv(name.data(), arguments.data()));
}

}  // namespace

TEST_CASE("confined process reads its source and writes to its folder") {
  const Place place;
  CHECK(confined(place.rules(), [&] { return opened(place.root / "source", O_RDONLY); }) == 0);
  CHECK(confined(place.rules(), [&] {
          const fs::path part = place.root / "out" / ".part";
          if (const int error = opened(part, O_WRONLY | O_CREAT)) return error;
          if (::mkdir((place.root / "out" / "720p").c_str(), 0700) != 0) return errno;
          return outcome(::rename(part.c_str(), (place.root / "out" / "00000.m4s").c_str()));
        }) == 0);
  CHECK(fs::exists(place.root / "out" / "00000.m4s"));
  CHECK(confined(place.rules(), [] {
          int seen = 0;
          std::thread([&seen] { seen = 1; }).join();
          return seen == 1 ? 0 : 1;
        }) == 0);
}

TEST_CASE("confined process has no file but its own") {
  const Place place;
  const SandboxRules rules = place.rules();
  CHECK(confined(rules, [&] { return opened(place.root / "secret", O_RDONLY); }) == EACCES);
  CHECK(confined(rules, [&] { return opened(place.root / "source", O_WRONLY); }) == EACCES);
  CHECK(confined(rules, [&] { return opened(place.root / "new", O_WRONLY | O_CREAT); }) == EACCES);
  CHECK(confined(rules, [&] { return outcome(::unlink((place.root / "secret").c_str())); }) ==
        EACCES);
  CHECK(confined(rules, [] { return opened("/etc/passwd", O_RDONLY); }) == EACCES);
  CHECK(confined(rules, [] { return opened("/proc/self/environ", O_RDONLY); }) == EACCES);
  CHECK(confined(rules, [&] {
          const fs::path link = place.root / "out" / "link";
          return outcome(::symlink((place.root / "secret").c_str(), link.c_str()));
        }) == EPERM);
  fs::create_symlink(place.root / "secret", place.root / "out" / "planted");
  CHECK(confined(rules, [&] { return opened(place.root / "out" / "planted", O_RDONLY); }) ==
        EACCES);
}

TEST_CASE("confined process has no network") {
  const Place place;
  CHECK(confined(place.rules(), connected_to_loopback) == EPERM);
  for (const int family : {AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET}) {
    CHECK(confined(place.rules(), [family] { return outcome(::socket(family, SOCK_DGRAM, 0)); }) ==
          EPERM);
  }
  CHECK(confined(place.rules(),
                 [] { return outcome(::syscall(SYS_io_uring_setup, 1, nullptr)); }) == EPERM);
}

TEST_CASE("confined process starts nothing and touches no other process") {
  const Place place;
  const SandboxRules rules = place.rules();
  CHECK(confined(rules, another_program) == EPERM);
  CHECK(confined(rules, [] { return outcome(::fork()); }) == EPERM);
  CHECK(confined(rules, [] { return outcome(::kill(::getppid(), SIGTERM)); }) == EPERM);
  CHECK(confined(rules, [] {
          return outcome(::ptrace(PTRACE_ATTACH, ::getppid(), nullptr, nullptr));
        }) == EPERM);
  CHECK(confined(rules, [] { return outcome(::setuid(0)); }) == EPERM);
  CHECK(confined(rules, [] { return outcome(::chroot("/")); }) == EPERM);
}

TEST_CASE("confined process cannot take its walls down") {
  const Place place;
  CHECK(confined(place.rules(), [&] {
          confine({.read = {"/"}, .write = {"/"}});
          return opened(place.root / "secret", O_RDONLY);
        }) == EACCES);
  CHECK(confined(place.rules(), [] { return outcome(::prctl(PR_SET_DUMPABLE, 1)); }) == EPERM);
}

TEST_CASE("fetching process reaches the network but writes and starts nothing") {
  const Place place;
  const SandboxRules fetch{.fetch = true};
  CHECK(confined(fetch, connected_to_loopback) == ECONNREFUSED);
  CHECK(confined(fetch, [&] { return opened(place.root / "source", O_RDONLY); }) == 0);
  CHECK(confined(fetch, [&] { return opened(place.root / "source", O_WRONLY); }) == EACCES);
  CHECK(confined(fetch, [&] { return opened(place.root / "new", O_WRONLY | O_CREAT); }) == EACCES);
  CHECK(confined(fetch, another_program) == EPERM);
}
