/// AV1 by SVT-AV1.
#pragma once

#include "av/ptr.h"
#include "media/video_encoder.h"

namespace millrace::media {

/// A sample is a temporal unit: what has to be decoded to show one more picture. Pictures that are
/// decoded early and shown later hide inside the units, so samples are in the order of showing.
class SvtAv1Encoder : public VideoEncoder {
 public:
  explicit SvtAv1Encoder(const Options& options);

  const DecoderConfig& config() const override { return config_; }
  int reorder_frames() const override { return 0; }
  /// Key frames come at the grid by themselves.
  void encode(const AVFrame& frame, int64_t slot, bool segment_start,
              const OnPicture& on_picture) override;
  void finish(const OnPicture& on_picture) override;

 private:
  void read_header();
  /// Hands on what is ready; when `wait`, everything up to the end.
  void drain(bool wait, const OnPicture& on_picture);

  av::SvtAv1 encoder_;
  DecoderConfig config_;
  uint32_t frame_bytes_ = 0;
  int64_t sent_ = 0;
  int64_t received_ = 0;
};

/// SVT-AV1's preset for the name of one of libx264's. Throws `std::invalid_argument`.
int svt_av1_preset(const std::string& name);

}  // namespace millrace::media
