#include "av/log.h"

#include <array>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

extern "C" {
#include <libavutil/log.h>
}

namespace millrace::av {

namespace {

void write_line(void* context, int level, const char* format, va_list arguments) {
  constexpr int kMostLines = 400;
  static std::atomic<int> lines{0};
  if (level > AV_LOG_ERROR) return;
  const int line = lines.fetch_add(1);
  if (line > kMostLines) return;
  if (line == kMostLines) {
    std::fputs("libav: further messages are left out\n", stderr);
    return;
  }
  std::array<char, 1024> text{};
  int print_prefix = 1;
  av_log_format_line2(context, level, format, arguments, text.data(), static_cast<int>(text.size()),
                      &print_prefix);
  std::fprintf(stderr, "libav: %s", text.data());
}

}  // namespace

void install_log() {
  av_log_set_level(AV_LOG_ERROR);
  av_log_set_callback(write_line);
  ::setenv("SVT_LOG", "1", 0);  // errors: SVT-AV1 has no other way to be told
}

}  // namespace millrace::av
