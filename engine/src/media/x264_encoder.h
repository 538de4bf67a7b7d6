/// H.264 by libx264 directly: one instance encodes one chunk of one rendition.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "av/ptr.h"
#include "media/plan.h"
#include "media/video_facts.h"

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

  struct Options {
    RenditionPlan rendition;
    std::string preset;
    AVRational frame_rate;
    int segment_frames = 0;
    ColorTags color;
  };

  explicit X264Encoder(const Options& options);

  const H264Headers& headers() const { return headers_; }
  /// Frames that decoding runs ahead of showing (0 without B-frames); fixed by the preset.
  int reorder_frames() const { return reorder_frames_; }
  /// Encodes the picture of `slot`; `segment_start` forces an IDR. Slots must count up by one.
  void encode(const AVFrame& frame, int64_t slot, bool segment_start, const OnPicture& on_picture);
  /// Gets out what the encoder holds back.
  void finish(const OnPicture& on_picture);

 private:
  void read_headers();

  av::X264 encoder_;
  H264Headers headers_;
  int reorder_frames_ = 0;
};

/// The most reference frames the level allows for a picture size (H.264 table A-1).
int max_reference_frames(int level_idc, int width, int height);

}  // namespace millrace::media
