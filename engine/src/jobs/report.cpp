#include "jobs/report.h"

#include <cmath>

namespace millrace::jobs {

using nlohmann::ordered_json;

void Report::emit(const ordered_json& event) {
  const std::string text = event.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  const std::lock_guard lock(mutex_);
  events_(text);
}

void Report::warn(const std::string& code, const std::string& message) {
  warn({{"code", code}, {"message", message}});
}

void Report::warn(const std::string& code, const std::string& message, int stream,
                  std::optional<double> time_s) {
  warn({{"code", code},
        {"message", message},
        {"stream", stream},
        {"time_s", time_s ? ordered_json(seconds(*time_s)) : ordered_json(nullptr)}});
}

void Report::warn(const ordered_json& warning) {
  {
    const std::lock_guard lock(mutex_);
    warnings_.push_back(warning);
  }
  ordered_json event = {{"type", "warning"}};
  event.update(warning);
  emit(event);
}

void Report::init_written(const media::InitInfo& info) {
  {
    const std::lock_guard lock(mutex_);
    tracks_[info.track].codecs = info.codecs;
  }
  ordered_json event = {{"type", "init"}, {"rendition", info.track}};
  if (!info.path.empty()) event.update({{"path", info.path}, {"bytes", info.bytes}});
  event["codecs"] = info.codecs;
  emit(event);
}

void Report::segment_written(const media::SegmentInfo& info) {
  {
    const std::lock_guard lock(mutex_);
    media::TrackRecord& track = tracks_[info.track];
    track.segments.push_back(info);
    track.bytes += info.bytes;
  }
  ordered_json event = {{"type", "segment"},
                        {"rendition", info.track},
                        {"index", info.index},
                        {"path", info.path},
                        {"bytes", info.bytes},
                        {"duration", {{"num", info.duration.num}, {"den", info.duration.den}}}};
  if (info.iframe_bytes > 0) event["iframe_bytes"] = info.iframe_bytes;
  emit(event);
}

media::TrackListener Report::listener() {
  return {[this](const media::InitInfo& info) { init_written(info); },
          [this](const media::SegmentInfo& info) { segment_written(info); }};
}

media::TrackRecords Report::tracks() const {
  const std::lock_guard lock(mutex_);
  return tracks_;
}

ordered_json Report::warnings() const {
  const std::lock_guard lock(mutex_);
  return warnings_;
}

double seconds(double value) {
  return std::round(value * 1e6) / 1e6;
}

}  // namespace millrace::jobs
