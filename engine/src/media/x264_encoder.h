/// H.264 by libx264 directly: one instance encodes one chunk of one rendition.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "av/ptr.h"
#include "media/first_pass.h"
#include "media/video_encoder.h"

struct x264_param_t;

namespace millrace::media {

class X264Encoder : public VideoEncoder {
 public:
  static constexpr int kAutomaticQp = -1;

  struct Options : VideoEncoder::Options {
    Options() = default;
    explicit Options(VideoEncoder::Options usual) : VideoEncoder::Options(std::move(usual)) {}

    std::string statistics_out;                ///< where to note what is found out; "" = nowhere
    const SegmentStatistics* guide = nullptr;  ///< encodes these pictures, and only these
    double guide_qp_shift = 0;                 ///< see `GuideFiles`
  };

  explicit X264Encoder(const Options& options);

  const DecoderConfig& config() const override { return config_; }
  int reorder_frames() const override { return reorder_frames_; }
  void encode(const AVFrame& frame, int64_t slot, bool segment_start,
              const OnPicture& on_picture) override {
    encode(frame, slot, segment_start, on_picture, kAutomaticQp);
  }
  /// `qp` is the quantiser of a guided picture.
  void encode(const AVFrame& frame, int64_t slot, bool segment_start, const OnPicture& on_picture,
              int qp);
  void finish(const OnPicture& on_picture) override;

 private:
  void open(x264_param_t& parameters, const Options& options);
  void read_headers();

  av::X264 encoder_;
  DecoderConfig config_;
  int reorder_frames_ = 0;
  std::vector<float> block_shift_;  ///< of a guided encoder, for pictures without a tree
};

/// An encoder of this preset and profile finds out enough to guide others.
bool can_guide(const std::string& preset, const std::string& profile);
/// Pictures that such an encoder may hold back.
int guide_delay(const std::string& preset);

/// The most reference frames the level allows for a picture size (H.264 table A-1).
int max_reference_frames(int level_idc, int width, int height);

}  // namespace millrace::media
