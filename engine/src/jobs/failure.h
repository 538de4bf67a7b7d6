/// Any exception → the process's last JSON line and its exit code.
#pragma once

#include <exception>
#include <string>

namespace millrace::jobs {

struct Failure {
  std::string json;  ///< empty: nothing to print (stopped by a signal, wrong command line)
  std::string log;   ///< for standard error
  int exit_code = 70;
};

/// What the error line calls the reason and the position.
struct ErrorKeys {
  const char* reason = "code";
  const char* position = "position_s";
};

Failure describe_failure(const std::exception_ptr& error, const ErrorKeys& keys = {});

}  // namespace millrace::jobs
