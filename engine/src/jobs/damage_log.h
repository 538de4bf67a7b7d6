/// Tells of damaged places in a stream, one by one but not without end.
#pragma once

#include <optional>
#include <string>

#include "jobs/report.h"

namespace millrace::jobs {

class DamageLog {
 public:
  /// `code` and `message` of each warning.
  DamageLog(Report& report, int stream, std::string code, std::string message)
      : report_(report), stream_(stream), code_(std::move(code)), message_(std::move(message)) {}

  /// Damage less than a second after what was told belongs to it; a hundred places are told.
  void note(double time_s) {
    constexpr int kMostPlaces = 100;
    ++count_;
    if (told_s_ && time_s - *told_s_ < 1) return;
    told_s_ = time_s;
    if (places_++ < kMostPlaces) report_.warn(code_, message_, stream_, time_s);
  }

  int64_t count() const { return count_; }

 private:
  Report& report_;
  int stream_;
  std::string code_;
  std::string message_;
  std::optional<double> told_s_;
  int places_ = 0;
  int64_t count_ = 0;
};

}  // namespace millrace::jobs
