#include "av/error.h"

#include <array>

extern "C" {
#include <libavutil/error.h>
}

namespace millrace::av {

namespace {
std::string compose(int code, std::string_view what, std::string_view path) {
  std::string text{what};
  if (!path.empty()) text.append(" (").append(path).append(")");
  return text.append(": ").append(describe(code));
}
}  // namespace

Error::Error(int code, std::string_view what, std::string_view path)
    : std::runtime_error(compose(code, what, path)), code_(code), path_(path) {}

int check(int rc, std::string_view what, std::string_view path) {
  if (rc < 0) throw Error(rc, what, path);
  return rc;
}

std::string describe(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

}  // namespace millrace::av
