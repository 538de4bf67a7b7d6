/// What the engine needs to know about a video stream to show it as it was meant.
#pragma once

#include <string>

#include "av/ptr.h"

namespace millrace::media {

struct ColorTags {
  AVColorPrimaries primaries = AVCOL_PRI_UNSPECIFIED;
  AVColorTransferCharacteristic transfer = AVCOL_TRC_UNSPECIFIED;
  AVColorSpace matrix = AVCOL_SPC_UNSPECIFIED;
  AVColorRange range = AVCOL_RANGE_UNSPECIFIED;
};

/// How the display matrix turns the coded picture.
struct Orientation {
  int clockwise_degrees = 0;  ///< 0, 90, 180 or 270
  std::string filters;        ///< libavfilter chain that applies it; empty = upright
};

enum class Hdr { None, Pq, Hlg };

struct VideoFacts {
  Orientation orientation;
  AVRational sample_aspect{1, 1};  ///< of the coded picture
  int display_width = 0;           ///< square pixels, upright
  int display_height = 0;
  bool interlaced = false;         ///< as the stream declares
  bool may_be_interlaced = false;  ///< single pictures may be, whatever the stream declares
  bool rgb = false;
  Hdr hdr = Hdr::None;
  double peak_light = 1000;  ///< brightest light of an HDR source, cd/m²
  ColorTags color;           ///< as tagged in the source
};

/// Which field comes first, as the stream says.
AVFieldOrder field_order_of(const AVCodecParameters& parameters);

/// Reads the facts off a stream (after its analysis).
VideoFacts video_facts(AVFormatContext& format, AVStream& stream);

/// The tags of the output: the source's where they are known, else the convention for its height;
/// BT.709 when the picture was converted from HDR or RGB. Always limited range.
ColorTags output_color(const VideoFacts& facts);

/// A picture uses all 256 levels: its tag or its pixel format says so.
bool is_full_range(const AVFrame& frame);

/// The frame rate to show: standard rates are recognised through rounded timestamps.
AVRational nominal_frame_rate(const AVStream& stream);

}  // namespace millrace::media
