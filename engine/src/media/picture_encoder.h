/// A whole video by one of libavcodec's encoders, on as many threads as it likes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "av/ptr.h"
#include "media/convert_job.h"
#include "media/hdr_metadata.h"
#include "media/video_facts.h"

namespace millrace::media {

/// The format an encoder is given: 4:2:0 of this depth.
AVPixelFormat picture_format(int depth);

class PictureEncoder {
 public:
  struct Options {
    ConvertVideo video;
    int width = 0;
    int height = 0;
    AVRational sample_aspect{1, 1};
    AVRational time_base{1, 90'000};
    AVRational frame_rate{25, 1};  ///< the usual one, where times are uneven
    ColorTags color;
    HdrMetadata hdr;  ///< what is to be written about it; empty for SDR
    int threads = 0;  ///< 0 = one per processor
  };
  using OnPacket = std::function<void(AVPacket& packet)>;

  /// Throws UNSUPPORTED_CODEC where the encoder refuses, and `std::invalid_argument` where the
  /// first pass's statistics are missing.
  PictureEncoder(Options options, OnPacket on_packet);

  const AVCodecContext& context() const { return *codec_; }
  /// In the order of presentation; `time` and `duration` in the time base.
  void encode(const AVFrame& picture, int64_t time, int64_t duration);
  void finish();

  int64_t packets() const { return packets_; }

 private:
  void set_format();
  void set_rate();
  void set_pass();
  void open();
  void drain();
  void save_statistics() const;
  bool due_for_key_frame(int64_t time);

  Options options_;
  OnPacket on_packet_;
  std::string statistics_;  ///< of the first pass
  av::Codec codec_;
  std::map<int64_t, int64_t> durations_;  ///< of pictures that are inside, by their time
  int64_t last_key_time_ = AV_NOPTS_VALUE;
  int64_t packets_ = 0;
};

}  // namespace millrace::media
