/// HEVC by libx265 directly.
#pragma once

#include "av/ptr.h"
#include "media/video_encoder.h"

struct x265_picture;

namespace millrace::media {

class X265Encoder : public VideoEncoder {
 public:
  explicit X265Encoder(const Options& options);

  const DecoderConfig& config() const override { return config_; }
  int reorder_frames() const override { return reorder_frames_; }
  void encode(const AVFrame& frame, int64_t slot, bool segment_start,
              const OnPicture& on_picture) override;
  void finish(const OnPicture& on_picture) override;

 private:
  void read_headers();
  /// Null = get out what is held back; false = nothing came out.
  bool step(x265_picture* input, const OnPicture& on_picture);

  av::X265Parameters parameters_;
  av::X265 encoder_;
  DecoderConfig config_;
  int reorder_frames_ = 0;
};

}  // namespace millrace::media
