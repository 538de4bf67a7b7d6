#include "media/normaliser.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "media/scaler.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace millrace::media {

namespace {

constexpr const char* kScalableFormats =
    "format=yuv420p|yuv422p|yuv444p|yuv420p10le|yuv422p10le|yuv444p10le";

// For odd sizes: zimg wants whole chroma samples.
constexpr const char* kFullChromaFormats = "format=yuv444p|yuv444p10le";

bool has_half_chroma_sample(const AVFrame& frame, const AVPixFmtDescriptor& pixels) {
  return frame.width % (1 << pixels.log2_chroma_w) != 0 ||
         frame.height % (1 << pixels.log2_chroma_h) != 0;
}

int even_size(int length) {
  return std::max(2, length / 2 * 2);
}

std::string join(const std::string& first, const std::string& second) {
  return first.empty() ? second : first + "," + second;
}

}  // namespace

bool is_scalable(AVPixelFormat format) {
  const AVPixFmtDescriptor* pixels = av_pix_fmt_desc_get(format);
  if (pixels == nullptr || pixels->nb_components < 3) return false;
  constexpr uint64_t kExcluded = AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL |
                                 AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL |
                                 AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_ALPHA;
  if ((pixels->flags & kExcluded) != 0 || (pixels->flags & AV_PIX_FMT_FLAG_PLANAR) == 0) {
    return false;
  }
  const bool wide = pixels->comp[0].depth > 8;
  const bool big_endian = (pixels->flags & AV_PIX_FMT_FLAG_BE) != 0;
  if (wide && big_endian != (std::endian::native == std::endian::big)) return false;
  for (int i = 0; i < 3; ++i) {
    const AVComponentDescriptor& component = pixels->comp[i];
    if (component.plane != i || component.shift != 0 || component.depth != pixels->comp[0].depth ||
        component.step != (wide ? 2 : 1)) {
      return false;
    }
  }
  return pixels->log2_chroma_w <= 2 && pixels->log2_chroma_h <= 2;
}

Normaliser::Normaliser(VideoFacts facts, AVRational time_base, int hdr_width, int hdr_height)
    : facts_(std::move(facts)),
      time_base_(time_base),
      hdr_width_(even_size(hdr_width)),
      hdr_height_(even_size(hdr_height)) {
  if (facts_.hdr != Hdr::None) tone_mapper_.emplace(facts_);
}

/// To what the tone mapper reads. Only RGB gets another matrix; nothing else changes here.
std::string Normaliser::hdr_description_for(const AVFrame& frame) const {
  const bool turned = facts_.orientation.clockwise_degrees % 180 != 0;
  const AVRational aspect = frame.sample_aspect_ratio;
  const Placement size =
      turned ? place(frame.height, frame.width, av_inv_q(aspect), hdr_width_, hdr_height_)
             : place(frame.width, frame.height, aspect, hdr_width_, hdr_height_);
  std::string scale = "zscale=w=" + std::to_string(size.width) +
                      ":h=" + std::to_string(size.height) + ":filter=bicubic:r=limited";
  if (facts_.rgb) scale += ":m=2020_ncl";
  return join(facts_.orientation.filters, scale + ",format=yuv444p16");
}

std::string Normaliser::description_for(const AVFrame& frame) const {
  if (tone_mapper_) return hdr_description_for(frame);
  std::string filters = facts_.orientation.filters;
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const AVPixFmtDescriptor* pixels = av_pix_fmt_desc_get(format);
  if (is_scalable(format) && !has_half_chroma_sample(frame, *pixels)) return filters;
  const bool rgb =
      pixels != nullptr && (pixels->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0;
  filters = join(filters, rgb ? "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd"
                              : "scale=out_range=tv:flags=bicubic");
  const bool odd = frame.width % 2 != 0 || frame.height % 2 != 0;
  const char* formats = is_scalable(format) || odd ? kFullChromaFormats : kScalableFormats;
  return join(join(filters, formats), "setparams=range=tv");
}

av::SharedFrame Normaliser::filter(const av::SharedFrame& frame) {
  const std::string description = description_for(*frame);
  if (description.empty()) return frame;
  if (!chain_ || description != description_) {
    chain_.emplace(description, time_base_);
    description_ = description;
  }
  av::SharedFrame result;
  chain_->push(*frame, [&result](av::Frame filtered) { result = av::share(std::move(filtered)); });
  return result ? result : frame;
}

av::SharedFrame Normaliser::apply(const av::SharedFrame& frame) {
  av::SharedFrame result = filter(frame);
  if (!tone_mapper_ || result->format != AV_PIX_FMT_YUV444P16) return result;
  return av::share(tone_mapper_->apply(*result));
}

}  // namespace millrace::media
