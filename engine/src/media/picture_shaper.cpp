#include "media/picture_shaper.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "av/error.h"

extern "C" {
#include <libavutil/frame.h>
}

namespace millrace::media {

namespace {

int even_side(int length) {
  return std::max(2, length / 2 * 2);
}

int nearest_even_side(double length) {
  return std::max(2, 2 * static_cast<int>(std::lround(length / 2)));
}

CropBox even_crop(const CropBox& wished, int width, int height) {
  const bool inside = wished.x + wished.width <= width && wished.y + wished.height <= height;
  if (!inside) {
    throw std::invalid_argument("job: video.crop does not lie inside the picture of " +
                                std::to_string(width) + "x" + std::to_string(height));
  }
  return {wished.x / 2 * 2, wished.y / 2 * 2, even_side(wished.width), even_side(wished.height)};
}

/// Of `from`'s pixels once they are spread over another size.
AVRational stretched(AVRational aspect, int from_width, int from_height, int width, int height) {
  constexpr int64_t kLargest = 65'535;  // what H.264's and HEVC's VUI can say
  AVRational result{1, 1};
  av_reduce(&result.num, &result.den, int64_t{aspect.num} * from_width * height,
            int64_t{aspect.den} * from_height * width, kLargest);
  return result;
}

bool almost_square(AVRational aspect) {
  constexpr double kRounding = 0.02;
  return std::abs(av_q2d(aspect) - 1) < kRounding;
}

}  // namespace

PictureShape picture_shape(const ConvertVideo& video, const VideoFacts& facts, int coded_width,
                           int coded_height) {
  const bool turned = facts.orientation.clockwise_degrees % 180 != 0;
  PictureShape shape;
  shape.source_width = turned ? coded_height : coded_width;
  shape.source_height = turned ? coded_width : coded_height;
  const AVRational aspect = turned ? av_inv_q(facts.sample_aspect) : facts.sample_aspect;
  int width = shape.source_width;
  int height = shape.source_height;
  if (video.crop) {
    shape.crop = even_crop(*video.crop, width, height);
    width = shape.crop->width;
    height = shape.crop->height;
  }
  const double display_aspect = width * av_q2d(aspect) / height;
  if (video.width == 0 && video.height == 0) {
    shape.width = even_side(width);
    shape.height = even_side(height);
    shape.sample_aspect = aspect;
    return shape;
  }
  if (video.width > 0) shape.width = even_side(video.width);
  if (video.height > 0) shape.height = even_side(video.height);
  if (video.width == 0) shape.width = nearest_even_side(shape.height * display_aspect);
  if (video.height == 0) shape.height = nearest_even_side(shape.width / display_aspect);
  if (video.width == 0 || video.height == 0) return shape;
  const AVRational spread = stretched(aspect, width, height, shape.width, shape.height);
  if (!almost_square(spread)) shape.sample_aspect = spread;
  return shape;
}

namespace {

/// The largest size that tone mapping has to give: crops count in the source's pixels.
std::pair<int, int> hdr_size(const PictureShape& shape) {
  if (shape.crop) return {shape.source_width, shape.source_height};
  return {shape.width, shape.height};
}

}  // namespace

PictureShaper::PictureShaper(const PictureShape& shape, const VideoFacts& facts,
                             AVRational time_base, int depth)
    : shape_(shape),
      normaliser_(facts, time_base, hdr_size(shape).first, hdr_size(shape).second),
      scaler_(shape.width, shape.height, depth) {}

/// Where the picture's size changed or tone mapping scaled it, the box is scaled likewise.
av::Frame PictureShaper::cropped(const AVFrame& frame) const {
  av::Frame part = av::clone(frame);
  if (!shape_.crop) return part;
  const CropBox& box = *shape_.crop;
  const auto across = [&](int pixels) {
    return static_cast<int>(int64_t{pixels} * frame.width / shape_.source_width) / 2 * 2;
  };
  const auto below = [&](int pixels) {
    return static_cast<int>(int64_t{pixels} * frame.height / shape_.source_height) / 2 * 2;
  };
  const int left = std::min(across(box.x), even_side(frame.width) - 2);
  const int top = std::min(below(box.y), even_side(frame.height) - 2);
  const int right = frame.width - left - std::max(2, across(box.width));
  const int bottom = frame.height - top - std::max(2, below(box.height));
  part->crop_left = static_cast<size_t>(left);
  part->crop_top = static_cast<size_t>(top);
  part->crop_right = static_cast<size_t>(std::max(0, right));
  part->crop_bottom = static_cast<size_t>(std::max(0, bottom));
  av::check(av_frame_apply_cropping(part.get(), AV_FRAME_CROP_UNALIGNED), "crop a picture");
  return part;
}

av::SharedFrame PictureShaper::apply(const av::SharedFrame& frame) {
  av::Frame part = cropped(*normaliser_.apply(frame));
  // The scaler fits into square pixels: what it is told is the shape beside the output's.
  AVRational& aspect = part->sample_aspect_ratio;
  if (aspect.num <= 0 || aspect.den <= 0) aspect = {1, 1};
  aspect = av_div_q(aspect, shape_.sample_aspect);
  return scaler_.scale(av::share(std::move(part)));
}

}  // namespace millrace::media
