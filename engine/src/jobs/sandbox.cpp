#include "jobs/sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <span>

namespace millrace::jobs {

namespace {

namespace fs = std::filesystem;

// Of later versions than Debian 12's headers know (uapi/linux/landlock.h).
constexpr uint64_t kRefer = 1U << 13;        // version 2
constexpr uint64_t kTruncate = 1U << 14;     // version 3
constexpr uint64_t kIoctlDevice = 1U << 15;  // version 5
constexpr uint64_t kAllNetwork = 3;          // version 4: bind and connect
constexpr uint64_t kAbstractSockets = 1;     // version 6

constexpr uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE;
constexpr uint64_t kReadFolder = kReadFile | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr uint64_t kWriteFolder = kReadFolder | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate |
                                  LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                  LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR;
constexpr uint64_t kFirstVersion = (1U << 13) - 1;

/// What libraries read while they work: processors and memory there are, character sets,
/// randomness.
constexpr std::array kSystem = {
    "/usr/lib",   "/lib",         "/lib64",        "/etc/ld.so.cache", "/sys/devices/system",
    "/dev/null",  "/dev/urandom", "/proc/cpuinfo", "/proc/meminfo",    "/proc/sys/vm",
    "/proc/stat",
};

/// Files, memory, threads and time. All that is not here is answered with EPERM.
constexpr std::array kCalls = {
    // files, below what Landlock leaves
    "access",
    "close",
    "dup",
    "dup2",
    "dup3",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fallocate",
    "fcntl",
    "fdatasync",
    "fstat",
    "fstatfs",
    "fsync",
    "ftruncate",
    "getcwd",
    "getdents64",
    "lseek",
    "lstat",
    "mkdir",
    "mkdirat",
    "newfstatat",
    "open",
    "openat",
    "pread64",
    "preadv",
    "pwrite64",
    "pwritev",
    "read",
    "readlink",
    "readlinkat",
    "readv",
    "rename",
    "renameat",
    "renameat2",
    "stat",
    "statfs",
    "statx",
    "umask",
    "unlink",
    "unlinkat",
    "write",
    "writev",
    // memory
    "brk",
    "get_mempolicy",
    "madvise",
    "mbind",
    "mlock",
    "mmap",
    "mprotect",
    "mremap",
    "munlock",
    "munmap",
    "set_mempolicy",
    // threads (their making has its own rule) and signals within the process
    "arch_prctl",
    "exit",
    "exit_group",
    "futex",
    "futex_waitv",
    "get_robust_list",
    "getpriority",
    "gettid",
    "membarrier",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "sched_getaffinity",
    "sched_getattr",
    "sched_getparam",
    "sched_getscheduler",
    "sched_setaffinity",
    "sched_setattr",
    "sched_setparam",
    "sched_setscheduler",
    "sched_yield",
    "set_robust_list",
    "set_tid_address",
    "setpriority",
    "sigaltstack",
    // waiting, time and facts
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "eventfd2",
    "getegid",
    "geteuid",
    "getgid",
    "getpid",
    "getppid",
    "getrandom",
    "getrlimit",
    "getrusage",
    "gettimeofday",
    "getuid",
    "nanosleep",
    "pause",
    "pipe2",
    "poll",
    "ppoll",
    "prlimit64",
    "pselect6",
    "select",
    "sysinfo",
    "time",
    "times",
    "ugetrlimit",
    "uname",
    "wait4",
    "waitid",
};

/// What libcurl and the resolver need besides.
constexpr std::array kNetworkCalls = {
    "bind",       "connect",  "getpeername", "getsockname", "getsockopt", "ioctl",
    "recvfrom",   "recvmmsg", "recvmsg",     "sendmmsg",    "sendmsg",    "sendto",
    "setsockopt", "shutdown", "socket",      "socketpair",
};

struct RuleSet {
  uint64_t files;
  uint64_t network;
  uint64_t scopes;
};

/// What Landlock of this version can forbid. A longer structure is taken as long as what an older
/// kernel does not know is zero.
RuleSet forbidden(int version, bool fetch) {
  RuleSet all{kFirstVersion, 0, 0};
  if (version >= 2) all.files |= kRefer;
  if (version >= 3) all.files |= kTruncate;
  if (version >= 5) all.files |= kIoctlDevice;
  if (fetch) {
    all.files &= ~(kReadFolder | kIoctlDevice);
    return all;
  }
  if (version >= 4) all.network = kAllNetwork;
  if (version >= 6) all.scopes = kAbstractSockets;
  return all;
}

/// A path that is not there has no rule: opening it goes on to fail as it would.
void allow(int rules, const fs::path& path, uint64_t access) {
  const int target = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (target < 0) return;
  struct stat facts {};
  const bool folder = ::fstat(target, &facts) == 0 && S_ISDIR(facts.st_mode);
  if (!folder) access &= kReadFile | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;
  const landlock_path_beneath_attr rule{access, target};
  ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  ::close(target);
}

bool confine_files(const SandboxRules& rules) {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return false;
  const RuleSet all = forbidden(static_cast<int>(version), rules.fetch);
  const auto set = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0));
  if (set < 0) return false;
  for (const fs::path& path : rules.read) allow(set, path, kReadFolder & all.files);
  for (const fs::path& path : rules.write) allow(set, path, kWriteFolder & all.files);
  if (!rules.fetch) {
    for (const char* path : kSystem) allow(set, path, kReadFolder);
  }
  const bool done = ::syscall(SYS_landlock_restrict_self, set, 0) == 0;
  ::close(set);
  return done;
}

struct ReleaseFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};

void allow_calls(scmp_filter_ctx filter, std::span<const char* const> names) {
  for (const char* name : names) {
    const int call = seccomp_syscall_resolve_name(name);
    if (call != __NR_SCMP_ERROR) seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  }
}

/// A condition of a rule: that an argument of the call has this value.
scmp_arg_cmp equals(unsigned argument, scmp_datum_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}

bool confine_calls(const SandboxRules& rules) {
  const std::unique_ptr<void, ReleaseFilter> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) return false;
  void* calls = filter.get();
  // A tree instead of a list: threads take and release locks all the time.
  seccomp_attr_set(calls, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  allow_calls(calls, kCalls);
  if (rules.fetch) allow_calls(calls, kNetworkCalls);
  // Threads, but no processes. clone3 hides its flags behind a pointer; glibc then uses clone.
  seccomp_rule_add(calls, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                   SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
  seccomp_rule_add(calls, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  seccomp_rule_add(calls, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, equals(0, PR_SET_NAME));
  const auto own = static_cast<scmp_datum_t>(::getpid());
  seccomp_rule_add(calls, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, equals(0, own));
  if (rules.may_end > 0) {
    const auto other = static_cast<scmp_datum_t>(rules.may_end);
    seccomp_rule_add(calls, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1, equals(0, other));
  }
  return seccomp_load(calls) == 0;
}

}  // namespace

Sandbox confine(const SandboxRules& rules) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  // A sanitizer starts processes and reads its own to report what it found.
  static_cast<void>(rules);
  static_cast<void>(confine_files);
  static_cast<void>(confine_calls);
  return {};
#else
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return {};
  Sandbox sandbox;
  sandbox.files = confine_files(rules);
  sandbox.calls = confine_calls(rules);
  return sandbox;
#endif
}

}  // namespace millrace::jobs
