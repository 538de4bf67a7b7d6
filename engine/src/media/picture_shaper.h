/// Decoded pictures → upright, cropped, scaled pictures in the format that an encoder takes.
#pragma once

#include <optional>

#include "media/convert_job.h"
#include "media/normaliser.h"
#include "media/scaler.h"
#include "media/video_facts.h"

namespace millrace::media {

/// The size of the output's pictures, even, and the shape of their pixels.
struct PictureShape {
  int source_width = 0;  ///< upright, in the source's pixels
  int source_height = 0;
  std::optional<CropBox> crop;  ///< even, inside the source's picture
  int width = 0;
  int height = 0;
  AVRational sample_aspect{1, 1};
};

/// Without a wish for a size the source's pixels are kept with their shape; where one side is
/// given, the other follows with square pixels; where both are, pixels take the shape that leaves
/// the picture undistorted (square, if that is what rounding comes from). Throws
/// `std::invalid_argument` for a crop outside the picture.
PictureShape picture_shape(const ConvertVideo& video, const VideoFacts& facts, int coded_width,
                           int coded_height);

class PictureShaper {
 public:
  PictureShaper(const PictureShape& shape, const VideoFacts& facts, AVRational time_base,
                int depth);

  av::SharedFrame apply(const av::SharedFrame& frame);

 private:
  av::Frame cropped(const AVFrame& frame) const;

  PictureShape shape_;
  Normaliser normaliser_;
  Scaler scaler_;
};

}  // namespace millrace::media
