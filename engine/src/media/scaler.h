/// Scaling to one size and format (4:2:0, limited range) with zimg.
#pragma once

#include <cstdint>

#include "av/ptr.h"

namespace millrace::media {

/// Where a picture goes inside the output, in pixels, even.
struct Placement {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

/// Fits a picture of `width` × `height` with pixel aspect `aspect` into the output without
/// distortion. Differences below 2 % (rounding to even sizes) are stretched away.
Placement place(int width, int height, AVRational aspect, int out_width, int out_height);

class Scaler {
 public:
  /// `depth`: 8 or 10 bits.
  Scaler(int width, int height, int depth = 8);

  /// A picture of the output size; the same picture again when nothing has to be done.
  av::SharedFrame scale(const av::SharedFrame& frame);

 private:
  struct Shape {
    int width = 0;
    int height = 0;
    int format = AV_PIX_FMT_NONE;
    AVColorRange range = AVCOL_RANGE_UNSPECIFIED;
    AVChromaLocation chroma = AVCHROMA_LOC_UNSPECIFIED;
    Placement placement;
    bool same(const Shape& other) const;
  };

  Shape shape_of(const AVFrame& frame) const;
  bool is_identity(const Shape& shape) const;
  void rebuild(const Shape& shape);

  int width_;
  int height_;
  int depth_;
  Shape shape_;
  av::Zimg graph_;
  av::Bytes scratch_;
};

}  // namespace millrace::media
