#include "media/scaler.h"

#include <zimg.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string>

#include "av/enumerator.h"
#include "av/error.h"
#include "media/video_facts.h"
#include "millrace/engine.h"

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}

namespace millrace::media {

namespace {

constexpr uintptr_t kAlignment = 32;  // of ZIMG_CPU_AUTO's kernels

[[noreturn]] void fail_zimg(const char* what) {
  std::array<char, 256> text{};
  zimg_get_last_error(text.data(), text.size());
  throw EngineError(Reason::Internal, std::string{what} + ": " + text.data());
}

zimg_chroma_location_e chroma_location(AVChromaLocation location) {
  switch (location) {
    case AVCHROMA_LOC_CENTER:
      return ZIMG_CHROMA_CENTER;
    case AVCHROMA_LOC_TOPLEFT:
      return ZIMG_CHROMA_TOP_LEFT;
    case AVCHROMA_LOC_TOP:
      return ZIMG_CHROMA_TOP;
    default:
      return ZIMG_CHROMA_LEFT;
  }
}

zimg_image_format base_format(int width, int height) {
  zimg_image_format format;
  zimg_image_format_default(&format, ZIMG_API_VERSION);
  format.width = static_cast<unsigned>(width);
  format.height = static_cast<unsigned>(height);
  format.color_family = ZIMG_COLOR_YUV;
  // Unspecified on both sides: the picture keeps its colour space, only its tags travel with it.
  format.matrix_coefficients = ZIMG_MATRIX_UNSPECIFIED;
  format.transfer_characteristics = ZIMG_TRANSFER_UNSPECIFIED;
  format.color_primaries = ZIMG_PRIMARIES_UNSPECIFIED;
  return format;
}

bool is_aligned(const AVFrame& frame) {
  for (int plane = 0; plane < 3; ++plane) {
    if (reinterpret_cast<uintptr_t>(frame.data[plane]) % kAlignment != 0) return false;
    if (frame.linesize[plane] % static_cast<int>(kAlignment) != 0) return false;
  }
  return true;
}

av::SharedFrame aligned_copy(const av::SharedFrame& frame) {
  av::Frame copy =
      av::make_picture(static_cast<AVPixelFormat>(frame->format), frame->width, frame->height);
  av::check(av_frame_copy(copy.get(), frame.get()), "copy a picture");
  return av::share(std::move(copy));
}

int even(double value) {
  return std::max(2, 2 * static_cast<int>(std::lround(value / 2)));
}

AVPixelFormat format_of(int depth) {
  return depth > 8 ? AV_PIX_FMT_YUV420P10 : AV_PIX_FMT_YUV420P;
}

void paint_black(AVFrame& frame, int depth) {
  constexpr int kBlackLuma = 16;
  constexpr int kNeutralChroma = 128;
  for (int plane = 0; plane < 3; ++plane) {
    const int rows = plane == 0 ? frame.height : (frame.height + 1) / 2;
    const int value = (plane == 0 ? kBlackLuma : kNeutralChroma) << (depth - 8);
    const size_t bytes = static_cast<size_t>(frame.linesize[plane]) * static_cast<size_t>(rows);
    if (depth > 8) {
      std::fill_n(reinterpret_cast<uint16_t*>(frame.data[plane]), bytes / 2,
                  static_cast<uint16_t>(value));
    } else {
      std::memset(frame.data[plane], value, bytes);
    }
  }
}

}  // namespace

Placement place(int width, int height, AVRational aspect, int out_width, int out_height) {
  const double pixel = aspect.num > 0 && aspect.den > 0 ? av_q2d(aspect) : 1.0;
  const double source = static_cast<double>(width) * pixel / height;
  const double target = static_cast<double>(out_width) / out_height;
  // Even sizes move the ratio of small pictures by more than 2 %.
  const double rounding = std::max(0.02, 2.0 / std::min(out_width, out_height));
  Placement result{0, 0, out_width, out_height};
  if (std::abs(source / target - 1) <= rounding) return result;
  if (source > target) {
    result.height = std::min(out_height, even(out_width / source));
    result.y = (out_height - result.height) / 4 * 2;
  } else {
    result.width = std::min(out_width, even(out_height * source));
    // Planes have to start aligned for zimg's kernels: 64 luma columns are 32 chroma bytes.
    result.x = (out_width - result.width) / 2 / 64 * 64;
  }
  return result;
}

bool Scaler::Shape::same(const Shape& other) const {
  return width == other.width && height == other.height && format == other.format &&
         range == other.range && chroma == other.chroma && placement.x == other.placement.x &&
         placement.y == other.placement.y && placement.width == other.placement.width &&
         placement.height == other.placement.height;
}

Scaler::Scaler(int width, int height, int depth) : width_(width), height_(height), depth_(depth) {}

Scaler::Shape Scaler::shape_of(const AVFrame& frame) const {
  return {frame.width,
          frame.height,
          frame.format,
          is_full_range(frame) ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG,
          av::known(frame.chroma_location, AVCHROMA_LOC_NB, AVCHROMA_LOC_UNSPECIFIED),
          place(frame.width, frame.height, frame.sample_aspect_ratio, width_, height_)};
}

bool Scaler::is_identity(const Shape& shape) const {
  return shape.format == format_of(depth_) && shape.range == AVCOL_RANGE_MPEG &&
         shape.width == width_ && shape.height == height_ && shape.placement.width == width_ &&
         shape.placement.height == height_;
}

void Scaler::rebuild(const Shape& shape) {
  const AVPixFmtDescriptor* pixels = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(shape.format));
  zimg_image_format source = base_format(shape.width, shape.height);
  source.pixel_type = pixels->comp[0].depth > 8 ? ZIMG_PIXEL_WORD : ZIMG_PIXEL_BYTE;
  source.depth = static_cast<unsigned>(pixels->comp[0].depth);
  source.subsample_w = pixels->log2_chroma_w;
  source.subsample_h = pixels->log2_chroma_h;
  source.pixel_range = shape.range == AVCOL_RANGE_JPEG ? ZIMG_RANGE_FULL : ZIMG_RANGE_LIMITED;
  source.chroma_location = chroma_location(shape.chroma);
  zimg_image_format target = base_format(shape.placement.width, shape.placement.height);
  target.pixel_type = depth_ > 8 ? ZIMG_PIXEL_WORD : ZIMG_PIXEL_BYTE;
  target.depth = static_cast<unsigned>(depth_);
  target.subsample_w = 1;
  target.subsample_h = 1;
  target.pixel_range = ZIMG_RANGE_LIMITED;
  target.chroma_location = ZIMG_CHROMA_LEFT;

  zimg_graph_builder_params parameters;
  zimg_graph_builder_params_default(&parameters, ZIMG_API_VERSION);
  // Zimg's own cubic (1/3, 1/3) blurs; this one keeps edges, like swscale's.
  parameters.resample_filter = ZIMG_RESIZE_BICUBIC;
  parameters.resample_filter_uv = ZIMG_RESIZE_BICUBIC;
  parameters.filter_param_a = parameters.filter_param_a_uv = 0;
  parameters.filter_param_b = parameters.filter_param_b_uv = 0.6;
  parameters.dither_type = source.depth > target.depth ? ZIMG_DITHER_ORDERED : ZIMG_DITHER_NONE;
  parameters.cpu_type = ZIMG_CPU_AUTO;
  parameters.allow_approximate_gamma = 1;
  graph_.reset(zimg_filter_graph_build(&source, &target, &parameters));
  if (!graph_) fail_zimg("The picture cannot be scaled");
  size_t scratch_bytes = 0;
  if (zimg_filter_graph_get_tmp_size(graph_.get(), &scratch_bytes) != ZIMG_ERROR_SUCCESS) {
    fail_zimg("The scaler's memory need is unknown");
  }
  scratch_.reset(static_cast<uint8_t*>(av_malloc(std::max<size_t>(scratch_bytes, 64))));
  av::check_ptr(scratch_.get(), "allocate the scaler's memory");
  shape_ = shape;
}

av::SharedFrame Scaler::scale(const av::SharedFrame& frame) {
  const Shape shape = shape_of(*frame);
  if (is_identity(shape)) return frame;
  if (!graph_ || !shape.same(shape_)) rebuild(shape);
  const av::SharedFrame input = is_aligned(*frame) ? frame : aligned_copy(frame);
  av::Frame output = av::make_picture(format_of(depth_), width_, height_);
  const Placement& at = shape_.placement;
  if (at.width != width_ || at.height != height_) paint_black(*output, depth_);

  zimg_image_buffer_const source{};
  source.version = ZIMG_API_VERSION;
  zimg_image_buffer target{};
  target.version = ZIMG_API_VERSION;
  for (int plane = 0; plane < 3; ++plane) {
    const int x = (plane == 0 ? at.x : at.x / 2) * (depth_ > 8 ? 2 : 1);  // bytes
    const std::ptrdiff_t y = plane == 0 ? at.y : at.y / 2;
    source.plane[plane] = {input->data[plane], input->linesize[plane], ZIMG_BUFFER_MAX};
    target.plane[plane] = {output->data[plane] + y * output->linesize[plane] + x,
                           output->linesize[plane], ZIMG_BUFFER_MAX};
  }
  if (zimg_filter_graph_process(graph_.get(), &source, &target, scratch_.get(), nullptr, nullptr,
                                nullptr, nullptr) != ZIMG_ERROR_SUCCESS) {
    fail_zimg("Scaling failed");
  }
  return av::share(std::move(output));
}

}  // namespace millrace::media
