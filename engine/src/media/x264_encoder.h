/// H.264 by libx264 directly: one instance encodes one chunk of one rendition.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "av/ptr.h"
#include "media/first_pass.h"
#include "media/plan.h"
#include "media/video_facts.h"

struct x264_param_t;

namespace millrace::media {

/// A coded picture as length-prefixed NAL units.
struct CodedPicture {
  std::vector<uint8_t> data;
  int64_t slot = 0;  ///< presentation slot
  bool idr = false;
  bool disposable = false;  ///< nothing refers to it
};

/// What decoders are told once; equal for every chunk made from the same plan.
struct H264Headers {
  std::vector<uint8_t> sps;
  std::vector<uint8_t> pps;
};

class X264Encoder {
 public:
  using OnPicture = std::function<void(CodedPicture)>;
  static constexpr int kAutomaticQp = -1;

  struct Options {
    RenditionPlan rendition;
    std::string preset;
    AVRational frame_rate;
    int segment_frames = 0;
    ColorTags color;
    std::string statistics_out;                ///< where to note what is found out; "" = nowhere
    const SegmentStatistics* guide = nullptr;  ///< encodes these pictures, and only these
    double guide_qp_shift = 0;                 ///< see `GuideFiles`
  };

  explicit X264Encoder(const Options& options);

  const H264Headers& headers() const { return headers_; }
  /// Frames that decoding runs ahead of showing (0 without B-frames); fixed by the preset.
  int reorder_frames() const { return reorder_frames_; }
  /// Encodes the picture of `slot`; `segment_start` forces an IDR. Slots must count up by one.
  /// `qp` is the quantiser of a guided picture.
  void encode(const AVFrame& frame, int64_t slot, bool segment_start, const OnPicture& on_picture,
              int qp = kAutomaticQp);
  /// Gets out what the encoder holds back.
  void finish(const OnPicture& on_picture);

 private:
  void open(x264_param_t& parameters, const Options& options);
  void read_headers();

  av::X264 encoder_;
  H264Headers headers_;
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
