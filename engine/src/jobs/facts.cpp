#include "jobs/facts.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "jobs/report.h"
#include "media/key_frames.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace millrace::jobs {

using nlohmann::ordered_json;

namespace {

constexpr size_t kMostKeyFrameTimes = 1000;
constexpr unsigned kMostChapters = 200;
constexpr size_t kLongestText = 200;

double to_seconds(int64_t ticks, AVRational time_base) {
  return static_cast<double>(ticks) * av_q2d(time_base);
}

/// At most `kLongestText` bytes, never half a UTF-8 character.
std::string shortened(std::string text) {
  if (text.size() <= kLongestText) return text;
  size_t end = kLongestText;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text;
}

ordered_json point(const AVRational (&xy)[2]) {
  return {seconds(av_q2d(xy[0])), seconds(av_q2d(xy[1]))};
}

}  // namespace

ordered_json mastering_json(const media::HdrMetadata& metadata) {
  if (!metadata.mastering) return nullptr;
  const AVMasteringDisplayMetadata& display = *metadata.mastering;
  ordered_json json = {{"red", nullptr},
                       {"green", nullptr},
                       {"blue", nullptr},
                       {"white_point", nullptr},
                       {"min_luminance_cd_m2", nullptr},
                       {"max_luminance_cd_m2", nullptr}};
  if (display.has_primaries != 0) {
    json["red"] = point(display.display_primaries[0]);
    json["green"] = point(display.display_primaries[1]);
    json["blue"] = point(display.display_primaries[2]);
    json["white_point"] = point(display.white_point);
  }
  if (display.has_luminance != 0) {
    json["min_luminance_cd_m2"] = seconds(av_q2d(display.min_luminance));
    json["max_luminance_cd_m2"] = seconds(av_q2d(display.max_luminance));
  }
  return json;
}

ordered_json light_json(const media::HdrMetadata& metadata) {
  if (!metadata.light) return nullptr;
  return {{"max_cll_cd_m2", metadata.light->MaxCLL}, {"max_fall_cd_m2", metadata.light->MaxFALL}};
}

ordered_json dolby_vision_json(const media::HdrMetadata& metadata) {
  if (!metadata.dolby_vision) return nullptr;
  const AVDOVIDecoderConfigurationRecord& record = *metadata.dolby_vision;
  return {{"profile", record.dv_profile},
          {"level", record.dv_level},
          {"compatibility_id", record.dv_bl_signal_compatibility_id},
          {"rpu", record.rpu_present_flag != 0},
          {"base_layer", record.bl_present_flag != 0},
          {"enhancement_layer", record.el_present_flag != 0}};
}

ordered_json steps_json(const media::FrameSteps& steps, AVRational time_base) {
  if (steps.count == 0) return nullptr;
  return {{"shortest_s", seconds(to_seconds(steps.shortest, time_base))},
          {"longest_s", seconds(to_seconds(steps.longest, time_base))},
          {"frames", steps.count}};
}

ordered_json key_frames_json(media::Input& input, int stream_index) {
  const std::vector<int64_t> index = media::indexed_key_frames(input, stream_index);
  if (index.empty()) return nullptr;
  const AVRational time_base = input.stream(stream_index).time_base;
  const auto since_first_s = [&](int64_t ticks) {
    return to_seconds(ticks - index.front(), time_base);
  };
  double longest_s = std::max(0.0, input.duration_s(stream_index) - since_first_s(index.back()));
  for (size_t n = 1; n < index.size(); ++n) {
    longest_s = std::max(longest_s, to_seconds(index[n] - index[n - 1], time_base));
  }
  ordered_json times = ordered_json::array();
  const size_t told = std::min(index.size(), kMostKeyFrameTimes);
  for (size_t n = 0; n < told; ++n) times.push_back(seconds(since_first_s(index[n])));
  return {{"count", index.size()}, {"longest_interval_s", seconds(longest_s)}, {"times_s", times}};
}

ordered_json chroma_format(AVPixelFormat format) {
  const AVPixFmtDescriptor* pixels = av_pix_fmt_desc_get(format);
  if (pixels == nullptr) return nullptr;
  if ((pixels->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0) return nullptr;
  if (pixels->nb_components < 3) return "4:0:0";
  const int across = 4 >> pixels->log2_chroma_w;
  const int below = pixels->log2_chroma_h == 0 ? across : 0;
  return "4:" + std::to_string(across) + ":" + std::to_string(below);
}

ordered_json field_order(AVFieldOrder order) {
  switch (order) {
    case AV_FIELD_PROGRESSIVE:
      return "progressive";
    // libav documents its mixed orders the other way round, but writers, its own among them, mean
    // by them interleaved lines of which the first field named is the earlier one.
    case AV_FIELD_TT:
    case AV_FIELD_TB:
      return "top_first";
    case AV_FIELD_BB:
    case AV_FIELD_BT:
      return "bottom_first";
    default:
      return nullptr;
  }
}

ordered_json dispositions_json(const AVStream& stream) {
  ordered_json names = ordered_json::array();
  for (int bit = 0; bit < 31; ++bit) {
    const int flag = 1 << bit;
    const char* name = av_disposition_to_string(flag);
    if ((stream.disposition & flag) != 0 && name != nullptr) names.push_back(name);
  }
  return names;
}

ordered_json bit_rate_json(const AVStream& stream) {
  const int64_t rate_bps = stream.codecpar->bit_rate;
  return rate_bps > 0 ? ordered_json(rate_bps) : ordered_json(nullptr);
}

ordered_json start_json(const AVStream& stream) {
  if (stream.start_time == AV_NOPTS_VALUE) return nullptr;
  return seconds(to_seconds(stream.start_time, stream.time_base));
}

ordered_json tag_json(const AVDictionary* tags, const char* name) {
  const AVDictionaryEntry* tag = av_dict_get(tags, name, nullptr, 0);
  if (tag == nullptr || tag->value[0] == '\0') return nullptr;
  return shortened(tag->value);
}

ordered_json chapters_json(const AVFormatContext& format) {
  ordered_json chapters = ordered_json::array();
  for (unsigned n = 0; n < std::min(format.nb_chapters, kMostChapters); ++n) {
    const AVChapter& chapter = *format.chapters[n];
    if (chapter.end == AV_NOPTS_VALUE || chapter.end < chapter.start) continue;
    chapters.push_back({{"start_s", seconds(to_seconds(chapter.start, chapter.time_base))},
                        {"end_s", seconds(to_seconds(chapter.end, chapter.time_base))},
                        {"title", tag_json(chapter.metadata, "title")}});
  }
  return chapters;
}

ordered_json other_stream_json(const AVStream& stream) {
  const char* type = av_get_media_type_string(stream.codecpar->codec_type);
  return {{"stream", stream.index},
          {"type", type == nullptr ? "unknown" : type},
          {"codec", avcodec_get_name(stream.codecpar->codec_id)}};
}

const char* duration_source(const AVFormatContext& format) {
  switch (format.duration_estimation_method) {
    case AVFMT_DURATION_FROM_PTS:
      return "timestamps";
    case AVFMT_DURATION_FROM_BITRATE:
      return "bitrate";
    default:
      return "container";
  }
}

}  // namespace millrace::jobs
