/// One stream's decoder: packets in, frames with sound timestamps out.
#pragma once

#include <cstdint>
#include <functional>

#include "av/ptr.h"

namespace millrace::media {

/// A decoded frame with the time it is presented, in the stream's time base.
struct TimedFrame {
  av::Frame frame;
  int64_t timestamp = 0;
  int64_t duration = 0;  ///< 0 = unknown
};

class Decoder {
 public:
  /// Returns false to stop the decoding (enough frames).
  using OnFrame = std::function<bool(TimedFrame)>;

  struct Options {
    int threads = 1;
    int64_t max_pixels = 0;
    bool key_frames_only = false;
  };

  /// Throws UNSUPPORTED_CODEC when libav has no decoder or refuses the stream's variant.
  Decoder(const AVStream& stream, Options options);

  /// Feeds a packet (null = the end) and hands on what comes out. False once `on_frame` said so.
  /// Throws LIMIT_EXCEEDED when a picture is larger than allowed: sizes may change mid-stream.
  bool decode(const AVPacket* packet, const OnFrame& on_frame);
  /// Forgets everything: to be called after a seek.
  void flush();

  int64_t frames() const { return frames_; }
  /// Failures after the first decoded frame.
  int64_t errors() const { return errors_; }
  /// Timestamp of the first frame lost to damage, if any.
  int64_t first_error_timestamp() const { return first_error_timestamp_; }

 private:
  void note_error(int rc, const char* what);
  TimedFrame timed(av::Frame frame);
  void check_size(const AVFrame& frame) const;

  const AVStream& stream_;
  av::Codec codec_;
  int64_t max_pixels_ = 0;
  int64_t nominal_duration_ = 0;
  int64_t next_timestamp_ = AV_NOPTS_VALUE;
  int64_t frames_ = 0;
  int64_t errors_ = 0;
  int64_t first_error_timestamp_ = AV_NOPTS_VALUE;
};

}  // namespace millrace::media
