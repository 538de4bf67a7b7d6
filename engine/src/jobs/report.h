/// The JSON events of one run, serialised, and what the run's result repeats of them.
#pragma once

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "media/output_folder.h"
#include "millrace/engine.h"

namespace millrace::jobs {

/// Everything one rendition or audio track wrote.
struct TrackRecord {
  std::string codecs;
  std::vector<media::SegmentInfo> segments;  ///< in the order of their index
  int64_t bytes = 0;                         ///< of the segments
};

/// Thread-safe.
class Report {
 public:
  explicit Report(const EventSink& events) : events_(events) {}

  void emit(const nlohmann::ordered_json& event);
  void warn(const std::string& code, const std::string& message);
  void init_written(const media::InitInfo& info);
  void segment_written(const media::SegmentInfo& info);
  media::TrackListener listener();

  std::map<std::string, TrackRecord> tracks() const;
  nlohmann::ordered_json warnings() const;

 private:
  const EventSink& events_;
  mutable std::mutex mutex_;
  std::map<std::string, TrackRecord> tracks_;
  nlohmann::ordered_json warnings_ = nlohmann::ordered_json::array();
};

/// Seconds rounded to microseconds, for display in JSON.
double seconds(double value);

}  // namespace millrace::jobs
