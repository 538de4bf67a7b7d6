#include "media/video_facts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "av/enumerator.h"

extern "C" {
#include <libavutil/mastering_display_metadata.h>
#include <libavutil/pixdesc.h>
}

namespace millrace::media {

namespace {

Orientation orientation_of(const AVStream& stream) {
  size_t size = 0;
  const uint8_t* data = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  if (data == nullptr || size < 9 * sizeof(int32_t)) return {};
  const auto* matrix = reinterpret_cast<const int32_t*>(data);
  const int64_t a = matrix[0];
  const int64_t b = matrix[1];
  const int64_t c = matrix[3];
  const int64_t d = matrix[4];
  // A point (x, y) goes to (ax + cy, bx + dy); other angles are snapped to the nearest quarter.
  if (std::abs(a) + std::abs(d) >= std::abs(b) + std::abs(c)) {
    if (a < 0 && d < 0) return {180, "hflip,vflip"};
    if (a < 0) return {0, "hflip"};
    if (d < 0) return {180, "vflip"};
    return {};
  }
  if (b > 0 && c > 0) return {90, "transpose=cclock_flip"};
  if (b > 0) return {90, "transpose=clock"};
  if (c > 0) return {270, "transpose=cclock"};
  return {270, "transpose=clock_flip"};
}

/// Broadcasts change between film and fields; some formats tell of fields with every picture only.
bool may_hide_fields(const AVFormatContext& format, const AVCodecParameters& parameters) {
  const std::string container = format.iformat->name;
  if (container == "mpegts" || container == "mpeg") return true;
  if (field_order_of(parameters) != AV_FIELD_UNKNOWN) return false;
  switch (parameters.codec_id) {
    case AV_CODEC_ID_DVVIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_MPEG4:
    case AV_CODEC_ID_VC1:
      return true;
    default:
      return false;
  }
}

bool sane_aspect(AVRational aspect) {
  if (aspect.num <= 0 || aspect.den <= 0) return false;
  const double value = av_q2d(aspect);
  return value > 0.05 && value < 20;
}

ColorTags color_of(const AVCodecParameters& parameters) {
  return {av::known(parameters.color_primaries, AVCOL_PRI_NB, AVCOL_PRI_UNSPECIFIED),
          av::known(parameters.color_trc, AVCOL_TRC_NB, AVCOL_TRC_UNSPECIFIED),
          av::known(parameters.color_space, AVCOL_SPC_NB, AVCOL_SPC_UNSPECIFIED),
          av::known(parameters.color_range, AVCOL_RANGE_NB, AVCOL_RANGE_UNSPECIFIED)};
}

Hdr hdr_of(const ColorTags& color) {
  if (color.transfer == AVCOL_TRC_SMPTE2084) return Hdr::Pq;
  if (color.transfer == AVCOL_TRC_ARIB_STD_B67) return Hdr::Hlg;
  return Hdr::None;
}

template <typename Metadata>
const Metadata* stream_metadata(const AVStream& stream, AVPacketSideDataType type) {
  size_t size = 0;
  const uint8_t* data = av_stream_get_side_data(&stream, type, &size);
  return data != nullptr && size >= sizeof(Metadata) ? reinterpret_cast<const Metadata*>(data)
                                                     : nullptr;
}

/// What the container says, if it is plausible: the brightest pixel, else the mastering display.
/// Pictures' own metadata is not asked: it need not be there again where a chunk begins.
double peak_light_of(const AVStream& stream, Hdr hdr) {
  constexpr double kUsual = 1000;
  constexpr double kLeast = 203;
  constexpr double kMost = 10'000;
  if (hdr != Hdr::Pq) return kUsual;
  const auto plausible = [](double light) { return light >= kLeast && light <= kMost; };
  const auto* content =
      stream_metadata<AVContentLightMetadata>(stream, AV_PKT_DATA_CONTENT_LIGHT_LEVEL);
  if (content != nullptr && plausible(content->MaxCLL)) return content->MaxCLL;
  const auto* mastering =
      stream_metadata<AVMasteringDisplayMetadata>(stream, AV_PKT_DATA_MASTERING_DISPLAY_METADATA);
  const bool told = mastering != nullptr && mastering->has_luminance != 0;
  const double brightest = told ? av_q2d(mastering->max_luminance) : 0;
  return plausible(brightest) ? brightest : kUsual;
}

}  // namespace

AVFieldOrder field_order_of(const AVCodecParameters& parameters) {
  constexpr auto kEnd = static_cast<AVFieldOrder>(AV_FIELD_BT + 1);
  return av::known(parameters.field_order, kEnd, AV_FIELD_UNKNOWN);
}

VideoFacts video_facts(AVFormatContext& format, AVStream& stream) {
  const AVCodecParameters& parameters = *stream.codecpar;
  VideoFacts facts;
  facts.orientation = orientation_of(stream);
  const AVRational aspect = av_guess_sample_aspect_ratio(&format, &stream, nullptr);
  if (sane_aspect(aspect)) facts.sample_aspect = aspect;
  const double aspect_value = av_q2d(facts.sample_aspect);
  // The longer side wins: pixels are stretched, never thrown away.
  const double width = parameters.width * std::max(1.0, aspect_value);
  const double height = parameters.height * std::max(1.0, 1.0 / aspect_value);
  facts.display_width = static_cast<int>(std::lround(width));
  facts.display_height = static_cast<int>(std::lround(height));
  if (facts.orientation.clockwise_degrees % 180 != 0) {
    std::swap(facts.display_width, facts.display_height);
  }
  const AVFieldOrder fields = field_order_of(parameters);
  facts.interlaced = fields != AV_FIELD_PROGRESSIVE && fields != AV_FIELD_UNKNOWN;
  facts.may_be_interlaced = facts.interlaced || may_hide_fields(format, parameters);
  const AVPixFmtDescriptor* pixels =
      av_pix_fmt_desc_get(static_cast<AVPixelFormat>(parameters.format));
  facts.rgb =
      pixels != nullptr && (pixels->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0;
  facts.color = color_of(parameters);
  facts.hdr = hdr_of(facts.color);
  facts.peak_light = peak_light_of(stream, facts.hdr);
  return facts;
}

ColorTags output_color(const VideoFacts& facts) {
  constexpr ColorTags kHd{AVCOL_PRI_BT709, AVCOL_TRC_BT709, AVCOL_SPC_BT709, AVCOL_RANGE_MPEG};
  constexpr ColorTags kSd525{AVCOL_PRI_SMPTE170M, AVCOL_TRC_SMPTE170M, AVCOL_SPC_SMPTE170M,
                             AVCOL_RANGE_MPEG};
  constexpr ColorTags kSd625{AVCOL_PRI_BT470BG, AVCOL_TRC_SMPTE170M, AVCOL_SPC_SMPTE170M,
                             AVCOL_RANGE_MPEG};
  if (facts.hdr != Hdr::None || facts.rgb) return kHd;
  const int short_side = std::min(facts.display_width, facts.display_height);
  const ColorTags fallback = short_side > 576 ? kHd : short_side > 486 ? kSd625 : kSd525;
  ColorTags tags = facts.color;
  if (tags.primaries == AVCOL_PRI_UNSPECIFIED) tags.primaries = fallback.primaries;
  if (tags.transfer == AVCOL_TRC_UNSPECIFIED) tags.transfer = fallback.transfer;
  if (tags.matrix == AVCOL_SPC_UNSPECIFIED || tags.matrix == AVCOL_SPC_RGB) {
    tags.matrix = fallback.matrix;
  }
  tags.range = AVCOL_RANGE_MPEG;
  return tags;
}

bool is_full_range(const AVFrame& frame) {
  switch (frame.format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P:
      return true;
    default:
      return av::known(frame.color_range, AVCOL_RANGE_NB, AVCOL_RANGE_UNSPECIFIED) ==
             AVCOL_RANGE_JPEG;
  }
}

AVRational nominal_frame_rate(const AVStream& stream) {
  AVRational rate = stream.avg_frame_rate;
  const AVRational base = stream.r_frame_rate;
  const bool has_base = base.num > 0 && base.den > 0;
  if (rate.num <= 0 || rate.den <= 0) rate = has_base ? base : AVRational{25, 1};
  // An average over few frames or over a gap misses the rate by a little; the base rate does not.
  constexpr double kAverageError = 0.02;
  if (has_base && std::abs(av_q2d(base) / av_q2d(rate) - 1) < kAverageError) rate = base;
  constexpr std::array<AVRational, 14> kStandard = {{{24000, 1001},
                                                     {24, 1},
                                                     {25, 1},
                                                     {30000, 1001},
                                                     {30, 1},
                                                     {48, 1},
                                                     {50, 1},
                                                     {60000, 1001},
                                                     {60, 1},
                                                     {12, 1},
                                                     {15, 1},
                                                     {10, 1},
                                                     {25, 2},
                                                     {120, 1}}};
  constexpr double kTolerance = 0.0004;  // 24 and 23.976 differ by 0.001
  for (const AVRational standard : kStandard) {
    if (std::abs(av_q2d(rate) / av_q2d(standard) - 1) < kTolerance) return standard;
  }
  int num = 0;
  int den = 0;
  av_reduce(&num, &den, rate.num, rate.den, 60'000);
  return num > 0 && den > 0 ? AVRational{num, den} : AVRational{25, 1};
}

}  // namespace millrace::media
