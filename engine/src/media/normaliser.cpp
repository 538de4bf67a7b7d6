#include "media/normaliser.h"

#include <bit>
#include <utility>

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
      hdr_width_(hdr_width),
      hdr_height_(hdr_height) {}

std::string Normaliser::description_for(const AVFrame& frame) const {
  std::string filters = facts_.orientation.filters;
  const auto format = static_cast<AVPixelFormat>(frame.format);
  if (facts_.hdr != Hdr::None) {
    const std::string size =
        "w=" + std::to_string(hdr_width_) + ":h=" + std::to_string(hdr_height_);
    return join(filters, "zscale=" + size +
                             ":filter=bicubic:t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,"
                             "tonemap=tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,"
                             "format=yuv420p,setsar=1");
  }
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

av::SharedFrame Normaliser::apply(const av::SharedFrame& frame) {
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

}  // namespace millrace::media
