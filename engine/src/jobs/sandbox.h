/// What is left to a process that reads untrusted bytes: its own files, memory and threads.
///
/// Two walls, both of Linux, both inherited by every thread and impossible to take down again:
/// Landlock (docs.kernel.org/userspace-api/landlock.html) for files, a seccomp filter for system
/// calls. Parsers and decoders run behind them, so that whoever takes over a decoder by a crafted
/// file has no network, no other file, no other process and no other program.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <vector>

namespace millrace::jobs {

/// What a process keeps.
struct SandboxRules {
  std::vector<std::filesystem::path> read{};  ///< files, and folders with all that is in them
  std::vector<std::filesystem::path>
      write{};         ///< folders: files in them are made, changed, removed
  bool fetch = false;  ///< connect to the network, read all files, write none
  pid_t may_end = 0;   ///< the one process that may be sent a signal
};

/// Which walls stand.
struct Sandbox {
  bool files = false;
  bool calls = false;

  bool whole() const { return files && calls; }
};

/// Confines the calling thread and all that come after it; to be called before there are others.
/// A wall that this system cannot build is left out: the result tells.
Sandbox confine(const SandboxRules& rules);

}  // namespace millrace::jobs
