/// The JSON events of one run, serialised, and what the run's result repeats of them.
#pragma once

#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "media/output_folder.h"
#include "millrace/engine.h"

namespace millrace::jobs {

/// Thread-safe.
class Report {
 public:
  explicit Report(const EventSink& events) : events_(events) {}

  void emit(const nlohmann::ordered_json& event);
  void warn(const std::string& code, const std::string& message);
  /// The same of one stream of the source, at a time of the output.
  void warn(const std::string& code, const std::string& message, int stream,
            std::optional<double> time_s);
  void init_written(const media::InitInfo& info);
  void segment_written(const media::SegmentInfo& info);
  media::TrackListener listener();

  media::TrackRecords tracks() const;
  nlohmann::ordered_json warnings() const;

 private:
  void warn(const nlohmann::ordered_json& warning);

  const EventSink& events_;
  mutable std::mutex mutex_;
  media::TrackRecords tracks_;
  nlohmann::ordered_json warnings_ = nlohmann::ordered_json::array();
};

/// Seconds rounded to microseconds, for display in JSON.
double seconds(double value);

}  // namespace millrace::jobs
