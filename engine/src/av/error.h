/// The one place where a libav return code becomes an exception.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace millrace::av {

/// A libav call failed: its code, what was being done, and (if any) the file concerned.
class Error : public std::runtime_error {
 public:
  Error(int code, std::string_view what, std::string_view path);

  int code() const { return code_; }
  const std::string& path() const { return path_; }

 private:
  int code_;
  std::string path_;
};

/// Returns `rc` when it is not negative, throws `Error` otherwise.
int check(int rc, std::string_view what, std::string_view path = {});

/// Same for calls that signal failure by a null pointer (out of memory, unknown name).
template <typename T>
T* check_ptr(T* pointer, std::string_view what) {
  if (pointer == nullptr) throw Error(-12 /* AVERROR(ENOMEM) */, what, {});
  return pointer;
}

/// libav's text for a code.
std::string describe(int code);

}  // namespace millrace::av
