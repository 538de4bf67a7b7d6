/// What every video encoder does: one instance encodes one chunk of one rendition.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "av/ptr.h"
#include "media/decoder_config.h"
#include "media/plan.h"
#include "media/video_facts.h"

namespace millrace::media {

/// A coded picture as a sample holds it: length-prefixed NAL units, or the OBUs of an AV1 temporal
/// unit.
struct CodedPicture {
  std::vector<uint8_t> data;
  int64_t slot = 0;  ///< presentation slot
  bool idr = false;  ///< decoding can start here, and nothing shown later needs what came before
  bool disposable = false;  ///< nothing refers to it
};

class VideoEncoder {
 public:
  using OnPicture = std::function<void(CodedPicture)>;

  struct Options {
    RenditionPlan rendition;
    std::string preset;  ///< speed, by libx264's names
    AVRational frame_rate;
    int segment_frames = 0;
    ColorTags color;
    int threads = 1;  ///< processors that all encoders together may keep busy
  };

  VideoEncoder() = default;
  VideoEncoder(const VideoEncoder&) = delete;
  VideoEncoder& operator=(const VideoEncoder&) = delete;
  virtual ~VideoEncoder() = default;

  /// What decoders are told once; equal for every chunk made from the same plan.
  virtual const DecoderConfig& config() const = 0;
  /// Frames that decoding runs ahead of showing (0 without reordering); fixed by the preset.
  virtual int reorder_frames() const = 0;
  /// Encodes the picture of `slot`, planar 8-bit 4:2:0; `segment_start`, which is every
  /// `segment_frames` slots, makes it a key frame. Slots must count up by one.
  virtual void encode(const AVFrame& frame, int64_t slot, bool segment_start,
                      const OnPicture& on_picture) = 0;
  /// Gets out what the encoder holds back.
  virtual void finish(const OnPicture& on_picture) = 0;
};

/// The encoder of the rendition's codec.
std::unique_ptr<VideoEncoder> open_video_encoder(const VideoEncoder::Options& options);

/// Throws what a failure of an encoder is: a bug of ours.
[[noreturn]] void encoder_failed(const std::string& what);

}  // namespace millrace::media
