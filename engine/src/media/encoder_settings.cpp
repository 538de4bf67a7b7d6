#include "media/encoder_settings.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>
#include <string>

#include "media/svt_av1_encoder.h"

namespace millrace::media {

namespace {

/// "key=value" pairs with colons between, as libx265 and SVT-AV1 take them.
class Pairs {
 public:
  template <typename Value>
  void add(const char* key, const Value& value) {
    if (text_.tellp() > 0) text_ << ':';
    text_ << key << '=' << value;
  }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
};

long in_units(AVRational value, double unit) {
  return std::lround(av_q2d(value) / unit);
}

/// SMPTE ST 2086 as libx265 takes it: chromaticities in 0.00002, light in 0.0001 cd/m².
std::string mastering_units(const AVMasteringDisplayMetadata& display) {
  constexpr double kChromaticity = 0.00002;
  constexpr double kLight = 0.0001;
  const auto point = [](const AVRational(&xy)[2]) {
    return "(" + std::to_string(in_units(xy[0], kChromaticity)) + "," +
           std::to_string(in_units(xy[1], kChromaticity)) + ")";
  };
  return "G" + point(display.display_primaries[1]) + "B" + point(display.display_primaries[2]) +
         "R" + point(display.display_primaries[0]) + "WP" + point(display.white_point) + "L(" +
         std::to_string(in_units(display.max_luminance, kLight)) + "," +
         std::to_string(in_units(display.min_luminance, kLight)) + ")";
}

/// The same as SVT-AV1 takes it: in plain decimals.
std::string mastering_decimals(const AVMasteringDisplayMetadata& display) {
  std::ostringstream text;
  text.precision(8);
  const auto pair = [&text](const char* name, AVRational first, AVRational second) {
    text << name << "(" << av_q2d(first) << "," << av_q2d(second) << ")";
  };
  pair("G", display.display_primaries[1][0], display.display_primaries[1][1]);
  pair("B", display.display_primaries[2][0], display.display_primaries[2][1]);
  pair("R", display.display_primaries[0][0], display.display_primaries[0][1]);
  pair("WP", display.white_point[0], display.white_point[1]);
  pair("L", display.max_luminance, display.min_luminance);
  return text.str();
}

std::string light_level(const AVContentLightMetadata& light) {
  return std::to_string(light.MaxCLL) + "," + std::to_string(light.MaxFALL);
}

void set_h264(const PictureEncoder::Options& options, av::Dictionary& dictionary) {
  dictionary.set("preset", options.video.preset.c_str());
  dictionary.set("forced-idr", int64_t{1});
  if (options.video.bitrate_bps == 0)
    dictionary.set("crf", std::to_string(options.video.crf).c_str());
  if (options.video.pass) dictionary.set("stats", options.video.pass->stats.c_str());
  if (!options.video.profile.empty()) dictionary.set("profile", options.video.profile.c_str());
}

void set_hevc(const PictureEncoder::Options& options, av::Dictionary& dictionary) {
  const ConvertVideo& video = options.video;
  Pairs pairs;
  pairs.add("log-level", "warning");
  pairs.add("info", 0);
  pairs.add("open-gop", 0);
  if (options.threads > 0) pairs.add("pools", options.threads);
  if (video.pass) {
    pairs.add("pass", video.pass->number);
    pairs.add("stats", video.pass->stats);
  }
  if (options.hdr.mastering || options.hdr.light) pairs.add("hdr10", 1);
  if (options.hdr.mastering) pairs.add("master-display", mastering_units(*options.hdr.mastering));
  if (options.hdr.light) pairs.add("max-cll", light_level(*options.hdr.light));
  dictionary.set("preset", video.preset.c_str());
  dictionary.set("forced-idr", int64_t{1});
  if (video.bitrate_bps == 0) dictionary.set("crf", std::to_string(video.crf).c_str());
  if (!video.profile.empty()) dictionary.set("profile", video.profile.c_str());
  dictionary.set("x265-params", pairs.text().c_str());
}

void set_av1(const PictureEncoder::Options& options, av::Dictionary& dictionary) {
  const ConvertVideo& video = options.video;
  Pairs pairs;
  if (options.threads > 0) pairs.add("lp", options.threads);
  if (options.hdr.mastering) {
    pairs.add("mastering-display", mastering_decimals(*options.hdr.mastering));
  }
  if (options.hdr.light) pairs.add("content-light", light_level(*options.hdr.light));
  dictionary.set("preset", int64_t{svt_av1_preset(video.preset)});
  if (video.bitrate_bps == 0) dictionary.set("crf", std::llround(video.crf));
  if (!pairs.text().empty()) dictionary.set("svtav1-params", pairs.text().c_str());
}

/// libvpx's speeds with its "good" deadline: from 6 on they mean real time.
int vp9_speed(const std::string& preset) {
  static const std::map<std::string, int> kSpeeds = {
      {"ultrafast", 5}, {"superfast", 5}, {"veryfast", 5}, {"faster", 4},   {"fast", 3},
      {"medium", 2},    {"slow", 1},      {"slower", 1},   {"veryslow", 0}, {"placebo", 0}};
  return kSpeeds.at(preset);
}

void set_vp9(const PictureEncoder::Options& options, av::Dictionary& dictionary) {
  const ConvertVideo& video = options.video;
  constexpr int kLeastTileWidth = 256;
  int tile_columns_log2 = 0;
  while ((options.width >> (tile_columns_log2 + 1)) >= kLeastTileWidth) ++tile_columns_log2;
  dictionary.set("deadline", "good");
  dictionary.set("cpu-used", int64_t{vp9_speed(video.preset)});
  dictionary.set("row-mt", int64_t{1});
  dictionary.set("tile-columns", int64_t{std::min(tile_columns_log2, 6)});
  dictionary.set("auto-alt-ref", int64_t{1});
  dictionary.set("lag-in-frames", int64_t{25});
  if (video.bitrate_bps == 0) dictionary.set("crf", std::llround(video.crf));
}

}  // namespace

const char* encoder_name(AVCodecID codec) {
  switch (codec) {
    case AV_CODEC_ID_HEVC:
      return "libx265";
    case AV_CODEC_ID_AV1:
      return "libsvtav1";
    case AV_CODEC_ID_VP9:
      return "libvpx-vp9";
    default:
      return "libx264";
  }
}

void set_encoder_options(const PictureEncoder::Options& options, av::Dictionary& dictionary) {
  switch (options.video.codec.value_or(AV_CODEC_ID_H264)) {
    case AV_CODEC_ID_HEVC:
      return set_hevc(options, dictionary);
    case AV_CODEC_ID_AV1:
      return set_av1(options, dictionary);
    case AV_CODEC_ID_VP9:
      return set_vp9(options, dictionary);
    default:
      return set_h264(options, dictionary);
  }
}

}  // namespace millrace::media
