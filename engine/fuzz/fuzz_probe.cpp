/// Recognising, opening, describing: all that `probe` does.
#include <string>

#include "jobs/probe.h"
#include "memory_source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;  // NOLINT(google-build-using-namespace)
  return fuzz::run(data, size, [](media::Input& input) {
    jobs::probe_input(input, fuzz::limits(), true, [](const std::string&) {});
  });
}
