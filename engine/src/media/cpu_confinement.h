/// Keeps the threads that a library starts of its own accord on as many processors as it may use.
#pragma once

#include <sched.h>

namespace millrace::media {

/// While it lives, the calling thread runs on `processors` of those it is allowed; threads started
/// meanwhile stay there. Different processes begin at different ones. Does nothing where there are
/// no more.
class CpuConfinement {
 public:
  explicit CpuConfinement(int processors);
  CpuConfinement(const CpuConfinement&) = delete;
  CpuConfinement& operator=(const CpuConfinement&) = delete;
  ~CpuConfinement();

 private:
  cpu_set_t before_{};
  bool confined_ = false;
};

}  // namespace millrace::media
