#include "media/cpu_confinement.h"

#include <unistd.h>

#include <vector>

namespace millrace::media {

CpuConfinement::CpuConfinement(int processors) {
  if (::sched_getaffinity(0, sizeof before_, &before_) != 0) return;
  std::vector<size_t> allowed;
  for (size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &before_)) allowed.push_back(cpu);
  }
  const auto wanted = static_cast<size_t>(processors);
  if (wanted == 0 || wanted >= allowed.size()) return;
  cpu_set_t chosen;
  CPU_ZERO(&chosen);
  const auto first = static_cast<size_t>(::getpid());
  for (size_t n = 0; n < wanted; ++n) CPU_SET(allowed[(first + n) % allowed.size()], &chosen);
  confined_ = ::sched_setaffinity(0, sizeof chosen, &chosen) == 0;
}

CpuConfinement::~CpuConfinement() {
  if (confined_) ::sched_setaffinity(0, sizeof before_, &before_);
}

}  // namespace millrace::media
