#include "jobs/probe.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "av/enumerator.h"
#include "jobs/facts.h"
#include "jobs/report.h"
#include "media/decoder.h"
#include "media/frame_timing.h"
#include "media/hdr_metadata.h"
#include "media/input.h"
#include "media/key_frames.h"
#include "media/stream_ends.h"
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

/// By the frames' timestamps; where they tell too little, two estimates of the rate must agree.
bool has_variable_rate(const AVStream& stream, const media::FrameSteps& steps, bool interlaced) {
  if (steps.count >= 2) return media::is_variable(steps, stream.time_base, interlaced);
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

ordered_json color_json(const media::ColorTags& color, AVChromaLocation location) {
  return {{"primaries", text_or_null(av_color_primaries_name(color.primaries))},
          {"transfer", text_or_null(av_color_transfer_name(color.transfer))},
          {"matrix", text_or_null(av_color_space_name(color.matrix))},
          {"range", text_or_null(av_color_range_name(color.range))},
          {"chroma_location", text_or_null(av_chroma_location_name(location))}};
}

/// What has to be read before the file is described.
struct Measured {
  std::map<int, double> durations;         ///< by stream; see `measured_durations`
  std::map<int, media::FrameSteps> steps;  ///< by stream

  double duration_s(const media::Input& input, const AVStream& stream) const {
    const auto found = durations.find(stream.index);
    return found == durations.end() ? input.duration_s(stream.index) : found->second;
  }
  media::FrameSteps steps_of(const AVStream& stream) const {
    const auto found = steps.find(stream.index);
    return found == steps.end() ? media::FrameSteps{} : found->second;
  }
};

ordered_json video_json(media::Input& input, AVStream& stream, const Measured& measured) {
  const AVCodecParameters& parameters = *stream.codecpar;
  const media::VideoFacts facts = media::video_facts(input.format(), stream);
  const AVPixFmtDescriptor* pixels =
      av_pix_fmt_desc_get(static_cast<AVPixelFormat>(parameters.format));
  const AVRational rate = media::nominal_frame_rate(stream);
  const double duration_s = measured.duration_s(input, stream);
  const media::FrameSteps steps = measured.steps_of(stream);
  const media::HdrMetadata hdr = media::hdr_metadata(stream);
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
          {"variable_frame_rate", has_variable_rate(stream, steps, facts.interlaced)},
          {"pixel_format", pixels == nullptr ? ordered_json(nullptr) : ordered_json(pixels->name)},
          {"bit_depth", pixels == nullptr ? 8 : pixels->comp[0].depth},
          {"interlaced", facts.interlaced},
          {"reordered", parameters.video_delay > 0},
          {"hides_first_pictures", media::hides_first_pictures(stream)},
          {"hdr", hdr_name(facts.hdr)},
          {"color", color_json(facts.color, av::known(parameters.chroma_location, AVCHROMA_LOC_NB,
                                                      AVCHROMA_LOC_UNSPECIFIED))},
          {"duration_s", seconds(duration_s)},
          {"frames", frame_count(stream, duration_s, rate)},
          {"attached_picture", media::is_cover_art(stream)},
          {"level", parameters.level >= 0 ? ordered_json(parameters.level) : ordered_json(nullptr)},
          {"chroma_format", chroma_format(static_cast<AVPixelFormat>(parameters.format))},
          {"field_order", field_order(media::field_order_of(parameters))},
          {"mastering_display", mastering_json(hdr)},
          {"content_light", light_json(hdr)},
          {"dolby_vision", dolby_vision_json(hdr)},
          {"frame_intervals", steps_json(steps, stream.time_base)},
          {"key_frames", key_frames_json(input, stream.index)},
          {"start_s", start_json(stream)},
          {"bitrate_bps", bit_rate_json(stream)},
          {"language", language_of(stream)},
          {"title", tag_json(stream.metadata, "title")},
          {"dispositions", dispositions_json(stream)}};
}

/// Of the samples as they were recorded; null for codecs that keep none of them (AAC, MP3).
ordered_json bit_depth(const AVCodecParameters& parameters) {
  const int raw = parameters.bits_per_raw_sample;
  const int depth = raw > 0 ? raw : av_get_exact_bits_per_sample(parameters.codec_id);
  return depth > 0 ? ordered_json(depth) : ordered_json(nullptr);
}

ordered_json audio_json(const media::Input& input, const AVStream& stream,
                        const Measured& measured) {
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
          {"duration_s", seconds(measured.duration_s(input, stream))},
          {"profile", text_or_null(avcodec_profile_name(parameters.codec_id, parameters.profile))},
          {"bit_depth", bit_depth(parameters)},
          {"start_s", start_json(stream)},
          {"bitrate_bps", bit_rate_json(stream)},
          {"title", tag_json(stream.metadata, "title")},
          {"dispositions", dispositions_json(stream)}};
}

ordered_json subtitle_json(const AVStream& stream) {
  return {{"stream", stream.index},
          {"codec", avcodec_get_name(stream.codecpar->codec_id)},
          {"language", language_of(stream)},
          {"text", media::is_text_subtitle(stream)},
          {"default", (stream.disposition & AV_DISPOSITION_DEFAULT) != 0},
          {"forced", (stream.disposition & AV_DISPOSITION_FORCED) != 0},
          {"title", tag_json(stream.metadata, "title")},
          {"dispositions", dispositions_json(stream)}};
}

/// A sound that libav has no decoder for is left out with a warning: the video is still worth it.
bool is_decodable(const AVStream& stream) {
  return avcodec_find_decoder(stream.codecpar->codec_id) != nullptr &&
         stream.codecpar->sample_rate > 0 && stream.codecpar->ch_layout.nb_channels > 0;
}

bool has_sound(const media::Input& input) {
  const AVFormatContext& format = input.format();
  const std::span streams(format.streams, format.nb_streams);
  return std::any_of(streams.begin(), streams.end(), [](const AVStream* stream) {
    return stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO && is_decodable(*stream);
  });
}

/// The first picture must decode: finds unsupported codecs and hopeless files before any plan.
av::Frame decode_one_picture(media::Input& input, int index, int64_t max_pixels) {
  constexpr int kMostPackets = 600;
  media::Decoder decoder(input.stream(index), {1, max_pixels, false});
  const av::Packet packet = av::make_packet();
  av::Frame found;
  const auto take_first = [&found](media::TimedFrame frame) {
    found = std::move(frame.frame);
    return false;
  };
  for (int n = 0; !found && n < kMostPackets && input.read(*packet);) {
    if (packet->stream_index != index) continue;
    ++n;
    decoder.decode(packet.get(), take_first);
  }
  if (!found) decoder.decode(nullptr, take_first);
  if (!found) {
    throw EngineError(Reason::Corrupt,
                      "No picture of the video could be decoded. Upload it again or re-export it.",
                      0.0);
  }
  return found;
}

/// Static HDR metadata may be in the coded picture alone, and of fields it knows best.
void add_from_picture(ordered_json& video, const AVStream& stream, const AVFrame& picture) {
  media::HdrMetadata metadata = media::hdr_metadata(stream);
  media::complete(metadata, picture);
  video["mastering_display"] = mastering_json(metadata);
  video["content_light"] = light_json(metadata);
  if (picture.interlaced_frame != 0) {
    video["field_order"] = field_order(picture.top_field_first != 0 ? AV_FIELD_TT : AV_FIELD_BB);
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
          {"duration_from", duration_source(format)},
          {"bytes_read", input.bytes_read()}};
}

ordered_json result_of(media::Input& input, const Measured& measured, Report& report) {
  const AVFormatContext& format = input.format();
  ordered_json video = ordered_json::array();
  ordered_json audio = ordered_json::array();
  ordered_json subtitles = ordered_json::array();
  ordered_json others = ordered_json::array();
  double longest_s = 0;
  for (unsigned n = 0; n < format.nb_streams; ++n) {
    AVStream& stream = *format.streams[n];
    switch (stream.codecpar->codec_type) {
      case AVMEDIA_TYPE_VIDEO:
        video.push_back(video_json(input, stream, measured));
        break;
      case AVMEDIA_TYPE_AUDIO:
        if (is_decodable(stream)) {
          audio.push_back(audio_json(input, stream, measured));
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
        others.push_back(other_stream_json(stream));
        continue;
    }
    if (!media::is_cover_art(stream))
      longest_s = std::max(longest_s, input.duration_s(stream.index));
  }
  // The main video first: plans take the first one.
  const int best = input.leading_stream();
  std::stable_sort(video.begin(), video.end(), [best](const auto& left, const auto& right) {
    return (left.at("stream") == best) > (right.at("stream") == best);
  });
  const double duration_s =
      format.duration > 0 ? static_cast<double>(format.duration) / AV_TIME_BASE : longest_s;
  return {{"type", "result"},
          {"format", format_json(input, duration_s)},
          {"video", video},
          {"audio", audio},
          {"subtitles", subtitles},
          {"others", others},
          {"chapters", chapters_json(format)},
          {"warnings", report.warnings()}};
}

}  // namespace

void probe_input(media::Input& input, const Limits& limits, bool allow_no_video,
                 const EventSink& events) {
  Report report(events);
  const bool pictures = input.has_video() || !allow_no_video || !has_sound(input);
  const int leading = pictures ? input.best_video_stream() : input.leading_stream();
  if (input.sound_share()) {
    report.warn("TRUNCATED", "The file ends early; up to 5 % of it are missing.");
  }
  input.prepare_seeking(leading);
  Measured measured;
  measured.durations = media::measured_durations(input, leading);
  if (pictures) measured.steps[leading] = media::frame_steps(input, leading);
  ordered_json result = result_of(input, measured, report);
  if (pictures) {
    input.rewind();
    input.select_stream(leading);
    const av::Frame picture = decode_one_picture(input, leading, limits.max_pixels);
    add_from_picture(result["video"][0], input.stream(leading), *picture);
  }
  result["format"]["bytes_read"] = input.bytes_read();
  report.emit(result);
}

}  // namespace jobs

void probe(const Source& source, const EventSink& events, const StopToken& stop) {
  media::Input input(source, stop);
  jobs::probe_input(input, source.limits, source.allow_no_video, events);
}

}  // namespace millrace
