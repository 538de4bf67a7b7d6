#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "jobs/report.h"
#include "media/decoder.h"
#include "media/input.h"
#include "media/subtitle_decoder.h"
#include "media/video_facts.h"
#include "millrace/engine.h"

extern "C" {
#include <libavutil/channel_layout.h>
#include <libavutil/pixdesc.h>
}

namespace millrace {

namespace jobs {
namespace {

using nlohmann::ordered_json;

ordered_json rational(AVRational value) {
  return {{"num", value.num}, {"den", value.den}};
}

/// libav's name of something; null where the source does not say.
ordered_json text_or_null(const char* text) {
  const bool known = text != nullptr && std::string_view{text} != "unknown";
  return known ? ordered_json(text) : ordered_json(nullptr);
}

std::string language_of(const AVStream& stream) {
  const AVDictionaryEntry* tag = av_dict_get(stream.metadata, "language", nullptr, 0);
  const std::string language = tag == nullptr ? "und" : tag->value;
  const bool plain =
      language.size() == 3 &&
      std::all_of(language.begin(), language.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  return plain ? language : "und";
}

/// MP4's sample table tells every frame's time; elsewhere two estimates of the rate must agree.
bool has_variable_rate(AVStream& stream) {
  const int count = avformat_index_get_entries_count(&stream);
  const bool table = stream.nb_frames > 2 && count >= stream.nb_frames;
  if (table) {
    int64_t shortest = INT64_MAX;
    int64_t longest = 0;
    for (int n = 1; n + 1 < count; ++n) {  // the last one's length is often arbitrary
      const int64_t step = avformat_index_get_entry(&stream, n)->timestamp -
                           avformat_index_get_entry(&stream, n - 1)->timestamp;
      shortest = std::min(shortest, step);
      longest = std::max(longest, step);
    }
    const auto tick_ms = 1000 * av_q2d(stream.time_base);
    return count > 2 && static_cast<double>(longest - shortest) * tick_ms > 2.5 &&
           static_cast<double>(longest) > 1.05 * static_cast<double>(shortest);
  }
  const double average = av_q2d(stream.avg_frame_rate);
  const double base = av_q2d(stream.r_frame_rate);
  if (!(average > 0) || !(base > 0)) return false;
  const bool field_rate = std::abs(base / average - 2) < 0.02;  // interlaced H.264 counts fields
  return !field_rate && std::abs(base / average - 1) > 0.02;
}

int64_t frame_count(AVStream& stream, double duration_s, AVRational rate) {
  if (stream.nb_frames > 0) return stream.nb_frames;
  return std::llround(duration_s * av_q2d(rate));
}

ordered_json hdr_name(media::Hdr hdr) {
  switch (hdr) {
    case media::Hdr::Pq:
      return "pq";
    case media::Hdr::Hlg:
      return "hlg";
    case media::Hdr::None:
      break;
  }
  return nullptr;
}

ordered_json color_json(const media::ColorTags& color) {
  return {{"primaries", text_or_null(av_color_primaries_name(color.primaries))},
          {"transfer", text_or_null(av_color_transfer_name(color.transfer))},
          {"matrix", text_or_null(av_color_space_name(color.matrix))},
          {"range", text_or_null(av_color_range_name(color.range))}};
}

ordered_json video_json(media::Input& input, AVStream& stream) {
  const AVCodecParameters& parameters = *stream.codecpar;
  const media::VideoFacts facts = media::video_facts(input.format(), stream);
  const AVPixFmtDescriptor* pixels =
      av_pix_fmt_desc_get(static_cast<AVPixelFormat>(parameters.format));
  const AVRational rate = media::nominal_frame_rate(stream);
  const double duration_s = input.duration_s(stream.index);
  const char* profile = avcodec_profile_name(parameters.codec_id, parameters.profile);
  return {{"stream", stream.index},
          {"codec", avcodec_get_name(parameters.codec_id)},
          {"profile", text_or_null(profile)},
          {"width", parameters.width},
          {"height", parameters.height},
          {"sar", rational(facts.sample_aspect)},
          {"rotation", facts.orientation.clockwise_degrees},
          {"display_width", facts.display_width},
          {"display_height", facts.display_height},
          {"frame_rate", rational(rate)},
          {"avg_frame_rate", rational(stream.avg_frame_rate)},
          {"variable_frame_rate", has_variable_rate(stream)},
          {"pixel_format", pixels == nullptr ? ordered_json(nullptr) : ordered_json(pixels->name)},
          {"bit_depth", pixels == nullptr ? 8 : pixels->comp[0].depth},
          {"interlaced", facts.interlaced},
          {"hdr", hdr_name(facts.hdr)},
          {"color", color_json(facts.color)},
          {"duration_s", seconds(duration_s)},
          {"frames", frame_count(stream, duration_s, rate)},
          {"attached_picture", media::is_cover_art(stream)}};
}

ordered_json audio_json(const media::Input& input, const AVStream& stream) {
  const AVCodecParameters& parameters = *stream.codecpar;
  std::string layout(64, '\0');
  av_channel_layout_describe(&parameters.ch_layout, layout.data(), layout.size());
  layout.resize(layout.find('\0') == std::string::npos ? layout.size() : layout.find('\0'));
  return {{"stream", stream.index},
          {"codec", avcodec_get_name(parameters.codec_id)},
          {"channels", parameters.ch_layout.nb_channels},
          {"channel_layout", layout},
          {"sample_rate_hz", parameters.sample_rate},
          {"language", language_of(stream)},
          {"default", (stream.disposition & AV_DISPOSITION_DEFAULT) != 0},
          {"duration_s", seconds(input.duration_s(stream.index))}};
}

ordered_json subtitle_json(const AVStream& stream) {
  return {{"stream", stream.index},
          {"codec", avcodec_get_name(stream.codecpar->codec_id)},
          {"language", language_of(stream)},
          {"text", media::is_text_subtitle(stream)},
          {"default", (stream.disposition & AV_DISPOSITION_DEFAULT) != 0},
          {"forced", (stream.disposition & AV_DISPOSITION_FORCED) != 0}};
}

/// A sound that libav has no decoder for is left out with a warning: the video is still worth it.
bool is_decodable(const AVStream& stream) {
  return avcodec_find_decoder(stream.codecpar->codec_id) != nullptr &&
         stream.codecpar->sample_rate > 0 && stream.codecpar->ch_layout.nb_channels > 0;
}

/// The first picture must decode: finds unsupported codecs and hopeless files before any plan.
void decode_one_picture(media::Input& input, int index, int64_t max_pixels) {
  constexpr int kMostPackets = 600;
  media::Decoder decoder(input.stream(index), {1, max_pixels, false});
  const av::Packet packet = av::make_packet();
  const auto first = [](const media::TimedFrame&) { return false; };
  bool found = false;
  for (int n = 0; !found && n < kMostPackets && input.read(*packet);) {
    if (packet->stream_index != index) continue;
    ++n;
    found = !decoder.decode(packet.get(), first);
  }
  if (!found) found = !decoder.decode(nullptr, first);
  if (!found) {
    throw EngineError(Reason::Corrupt,
                      "No picture of the video could be decoded. Upload it again or re-export it.",
                      0.0);
  }
}

ordered_json format_json(const media::Input& input, double duration_s) {
  const AVFormatContext& format = input.format();
  const double start_s = format.start_time == AV_NOPTS_VALUE
                             ? 0
                             : static_cast<double>(format.start_time) / AV_TIME_BASE;
  const int64_t bit_rate =
      duration_s > 0 ? std::llround(static_cast<double>(input.bytes()) * 8 / duration_s) : 0;
  return {{"container", input.container().name},
          {"name", input.container().demuxer},
          {"duration_s", seconds(duration_s)},
          {"start_s", seconds(start_s)},
          {"bytes", input.bytes()},
          {"bitrate_bps", bit_rate},
          {"seekable_exactly", input.seekable_exactly()},
          {"bytes_read", input.bytes_read()}};
}

ordered_json result_of(media::Input& input, Report& report) {
  const AVFormatContext& format = input.format();
  ordered_json video = ordered_json::array();
  ordered_json audio = ordered_json::array();
  ordered_json subtitles = ordered_json::array();
  double longest_s = 0;
  for (unsigned n = 0; n < format.nb_streams; ++n) {
    AVStream& stream = *format.streams[n];
    switch (stream.codecpar->codec_type) {
      case AVMEDIA_TYPE_VIDEO:
        video.push_back(video_json(input, stream));
        break;
      case AVMEDIA_TYPE_AUDIO:
        if (is_decodable(stream)) {
          audio.push_back(audio_json(input, stream));
        } else {
          report.warn("AUDIO_UNSUPPORTED", "The sound of stream " + std::to_string(n) +
                                               " has an unsupported codec and is left out.");
        }
        break;
      case AVMEDIA_TYPE_SUBTITLE:
        subtitles.push_back(subtitle_json(stream));
        if (!media::is_text_subtitle(stream)) {
          report.warn("SUBTITLES_UNSUPPORTED", "The subtitles of stream " + std::to_string(n) +
                                                   " are no text and are left out.");
        }
        break;
      default:
        continue;
    }
    if (!media::is_cover_art(stream))
      longest_s = std::max(longest_s, input.duration_s(stream.index));
  }
  // The main video first: plans take the first one.
  const int best = input.best_video_stream();
  std::stable_sort(video.begin(), video.end(), [best](const auto& left, const auto& right) {
    return (left.at("stream") == best) > (right.at("stream") == best);
  });
  const double duration_s =
      format.duration > 0 ? static_cast<double>(format.duration) / AV_TIME_BASE : longest_s;
  return {{"type", "result"},       {"format", format_json(input, duration_s)},
          {"video", video},         {"audio", audio},
          {"subtitles", subtitles}, {"warnings", report.warnings()}};
}

}  // namespace
}  // namespace jobs

void probe(const Source& source, const EventSink& events, const StopToken& stop) {
  jobs::Report report(events);
  media::Input input(source, stop);
  const int video = input.best_video_stream();
  if (input.sound_share()) {
    report.warn("TRUNCATED", "The file ends early; up to 5 % of it are missing.");
  }
  input.prepare_seeking(video);
  nlohmann::ordered_json result = jobs::result_of(input, report);
  input.rewind();
  input.select_stream(video);
  jobs::decode_one_picture(input, video, source.limits.max_pixels);
  result["format"]["bytes_read"] = input.bytes_read();
  report.emit(result);
}

}  // namespace millrace
