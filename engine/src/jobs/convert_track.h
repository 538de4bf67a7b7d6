/// What the streams of a conversion have in common.
#pragma once

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

#include "jobs/report.h"
#include "media/convert_job.h"
#include "media/input.h"
#include "media/muxer.h"

namespace millrace::jobs {

/// The part of the source that is converted, in the source's own times.
struct ConvertRange {
  int origin_stream = 0;  ///< its first presented time is the source's zero
  double start_s = 0;
  std::optional<double> end_s;

  std::optional<double> length_s() const {
    return end_s ? std::optional<double>(*end_s - start_s) : std::nullopt;
  }
  /// The source's zero and the output's zero in a stream's ticks.
  int64_t origin(const media::Input& input, AVRational time_base) const {
    return input.origin(origin_stream, time_base);
  }
  int64_t zero(const media::Input& input, AVRational time_base) const {
    return origin(input, time_base) + std::llround(start_s / av_q2d(time_base));
  }
};

/// Outlives all tracks.
struct ConvertContext {
  const media::ConvertJob& job;
  const Limits& limits;
  int threads;  ///< 0 = one per processor
  ConvertRange range;
  media::Input& input;
  media::Muxer& muxer;
  Report& report;
  const StopToken& stop;
};

/// One stream of the source on its way into the output.
class ConvertTrack {
 public:
  ConvertTrack(const ConvertContext& context, int stream)
      : context_(context), source_(context.input.stream(stream)) {}
  ConvertTrack(const ConvertTrack&) = delete;
  ConvertTrack& operator=(const ConvertTrack&) = delete;
  virtual ~ConvertTrack() = default;

  int stream() const { return source_.index; }
  virtual void take(AVPacket& packet) = 0;
  /// The source has no more packets, or none that belong to the range.
  virtual void finish() = 0;
  /// Nothing that follows belongs to the range.
  virtual bool done() const = 0;
  /// Where it is in the range, in seconds; any thread may ask.
  virtual double position_s() const = 0;
  /// What it became; null where packets were copied.
  virtual nlohmann::ordered_json result() const = 0;

 protected:
  const ConvertContext& context_;
  AVStream& source_;
};

}  // namespace millrace::jobs
