/// H.264 by Cisco's OpenH264, for builds without libx264.
#pragma once

#include <memory>

#include "media/video_encoder.h"

class ISVCEncoder;

namespace millrace::media {

/// Made for calls: no pictures are reordered or looked at ahead, and there is no constant quality.
/// `Crf` aims at two thirds of the rendition's cap instead; the cap itself is kept on average, as
/// the library skips no pictures here.
class OpenH264Encoder : public VideoEncoder {
 public:
  explicit OpenH264Encoder(const Options& options);

  const DecoderConfig& config() const override { return config_; }
  int reorder_frames() const override { return 0; }
  void encode(const AVFrame& frame, int64_t slot, bool segment_start,
              const OnPicture& on_picture) override;
  /// Nothing is held back.
  void finish(const OnPicture& /*on_picture*/) override {}

 private:
  struct Destroy {
    void operator()(ISVCEncoder* encoder) const;
  };

  void read_headers();

  std::unique_ptr<ISVCEncoder, Destroy> encoder_;
  DecoderConfig config_;
  AVRational frame_rate_;
};

}  // namespace millrace::media
