#include "media/convert_job.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace millrace::media {

namespace {

using nlohmann::json;

constexpr int kLargestSide = 16384;
constexpr double kLongestS = 1e9;

[[noreturn]] void refuse(const std::string& what) {
  throw std::invalid_argument("job: " + what);
}

/// An object of the job, under the name that messages give it.
class Fields {
 public:
  Fields(const json& object, std::string name, std::initializer_list<std::string_view> known)
      : object_(object), name_(std::move(name)) {
    if (!object_.is_object()) refuse((name_.empty() ? "it" : name_) + " must be an object");
    const std::set<std::string_view> names(known);
    for (const auto& [key, value] : object_.items()) {
      if (!names.contains(key)) refuse("unknown key " + path(key));
    }
  }

  std::string path(const std::string& key) const { return name_.empty() ? key : name_ + "." + key; }
  bool has(const char* key) const { return object_.contains(key) && !object_.at(key).is_null(); }
  const json& at(const char* key) const {
    if (!has(key)) refuse(path(key) + " is missing");
    return object_.at(key);
  }

  int64_t whole(const char* key, int64_t least, int64_t most) const {
    const json& value = at(key);
    if (!value.is_number_integer() || value < least || value > most) {
      refuse(path(key) + " must be a whole number from " + std::to_string(least) + " to " +
             std::to_string(most));
    }
    return value.get<int64_t>();
  }
  int integer(const char* key, int least, int most) const {
    return static_cast<int>(whole(key, least, most));
  }
  double number(const char* key, double least, double most) const {
    const json& value = at(key);
    if (!value.is_number() || value < least || value > most) {
      std::ostringstream range;
      range << path(key) << " must be a number from " << least << " to " << most;
      refuse(range.str());
    }
    return value.get<double>();
  }
  bool flag(const char* key, bool otherwise) const {
    if (!has(key)) return otherwise;
    if (!at(key).is_boolean()) refuse(path(key) + " must be true or false");
    return at(key).get<bool>();
  }
  std::string text(const char* key) const {
    if (!at(key).is_string()) refuse(path(key) + " must be a text");
    return at(key).get<std::string>();
  }
  const json& list(const char* key) const {
    if (!at(key).is_array()) refuse(path(key) + " must be a list");
    return at(key);
  }

 private:
  const json& object_;
  std::string name_;
};

template <typename Value, size_t Count>
Value one_of(const Fields& fields, const char* key,
             const std::array<std::pair<const char*, Value>, Count>& choices) {
  const std::string text = fields.text(key);
  std::string names;
  for (const auto& [name, value] : choices) {
    if (text == name) return value;
    names += (names.empty() ? "" : ", ") + std::string{name};
  }
  refuse(fields.path(key) + " must be one of " + names + ", not \"" + text + "\"");
}

using CodecChoice = std::pair<const char*, std::optional<AVCodecID>>;

OutputContainer parse_container(const Fields& job) {
  constexpr std::array<std::pair<const char*, OutputContainer>, 3> kContainers = {
      {{"mp4", OutputContainer::Mp4},
       {"mkv", OutputContainer::Mkv},
       {"webm", OutputContainer::WebM}}};
  return one_of(job, "container", kContainers);
}

std::string parse_preset(const Fields& video) {
  constexpr std::array<std::pair<const char*, const char*>, 10> kPresets = {{{"ultrafast", ""},
                                                                             {"superfast", ""},
                                                                             {"veryfast", ""},
                                                                             {"faster", ""},
                                                                             {"fast", ""},
                                                                             {"medium", ""},
                                                                             {"slow", ""},
                                                                             {"slower", ""},
                                                                             {"veryslow", ""},
                                                                             {"placebo", ""}}};
  one_of(video, "preset", kPresets);
  return video.text("preset");
}

void parse_rate_job(const json& item, ConvertVideo& video) {
  const Fields rate(item, "video.rate", {"mode", "crf", "bitrate_bps"});
  constexpr std::array<std::pair<const char*, bool>, 2> kModes = {{{"crf", true}, {"abr", false}}};
  if (!one_of(rate, "mode", kModes)) {
    video.bitrate_bps = rate.whole("bitrate_bps", 1'000, 1'000'000'000);
    return;
  }
  constexpr std::array kNarrow = {AV_CODEC_ID_H264, AV_CODEC_ID_HEVC};
  const bool narrow = std::find(kNarrow.begin(), kNarrow.end(), video.codec) != kNarrow.end();
  // 0 means "not given" to SVT-AV1's wrapper.
  const double least = video.codec == AV_CODEC_ID_AV1 ? 1 : 0;
  video.crf = rate.number("crf", least, narrow ? 51 : 63);
}

PassPlan parse_pass(const json& item) {
  const Fields fields(item, "video.pass", {"number", "stats"});
  PassPlan pass{fields.integer("number", 1, 2), fields.text("stats")};
  if (pass.stats.empty()) refuse("video.pass.stats must not be empty");
  // libx265 takes its settings as one text, in which these separate them.
  if (pass.stats.find_first_of(":=") != std::string::npos) {
    refuse(R"(video.pass.stats must be a path without ":" and "=")");
  }
  return pass;
}

CropBox parse_crop(const json& item) {
  const Fields fields(item, "video.crop", {"x", "y", "width", "height"});
  return {fields.integer("x", 0, kLargestSide), fields.integer("y", 0, kLargestSide),
          fields.integer("width", 2, kLargestSide), fields.integer("height", 2, kLargestSide)};
}

AVRational parse_fps(const Fields& video) {
  const json& pair = video.list("fps");
  const bool whole = pair.size() == 2 && pair[0].is_number_integer() && pair[1].is_number_integer();
  if (!whole || pair[0] < 1 || pair[1] < 1 || pair[0] > 1'000'000 || pair[1] > 1'000'000 ||
      pair[0].get<double>() / pair[1].get<double>() > 1000) {
    refuse("video.fps must be [numerator, denominator], both positive, at most 1000 together");
  }
  return {pair[0].get<int>(), pair[1].get<int>()};
}

void parse_pictures(const Fields& fields, ConvertVideo& video) {
  if (fields.has("width")) video.width = fields.integer("width", 2, kLargestSide);
  if (fields.has("height")) video.height = fields.integer("height", 2, kLargestSide);
  if (fields.has("crop")) video.crop = parse_crop(fields.at("crop"));
  if (fields.has("fps")) video.fps = parse_fps(fields);
  if (fields.has("hdr")) {
    constexpr std::array<std::pair<const char*, bool>, 2> kHdr = {
        {{"tonemap", false}, {"keep", true}}};
    video.keep_hdr = one_of(fields, "hdr", kHdr);
  }
  if (fields.has("pixel_depth")) {
    video.pixel_depth = fields.integer("pixel_depth", 8, 10);
    if (video.pixel_depth == 9) refuse("video.pixel_depth must be 8 or 10");
  }
}

ConvertVideo parse_video_job(const json& item) {
  const Fields fields(item, "video",
                      {"stream", "codec", "preset", "rate", "pass", "crop", "width", "height",
                       "fps", "hdr", "profile", "pixel_depth", "key_frame_interval_s"});
  constexpr std::array<CodecChoice, 5> kCodecs = {{{"h264", AV_CODEC_ID_H264},
                                                   {"hevc", AV_CODEC_ID_HEVC},
                                                   {"av1", AV_CODEC_ID_AV1},
                                                   {"vp9", AV_CODEC_ID_VP9},
                                                   {"copy", std::nullopt}}};
  ConvertVideo video;
  video.stream = fields.integer("stream", 0, 100'000);
  video.codec = one_of(fields, "codec", kCodecs);
  if (fields.has("preset")) video.preset = parse_preset(fields);
  if (fields.has("rate")) parse_rate_job(fields.at("rate"), video);
  if (fields.has("pass")) video.pass = parse_pass(fields.at("pass"));
  if (video.pass && video.copied()) refuse("video.pass goes with an encoder, not with copy");
  parse_pictures(fields, video);
  if (fields.has("profile")) video.profile = fields.text("profile");
  if (fields.has("key_frame_interval_s")) {
    video.key_frame_interval_s = fields.number("key_frame_interval_s", 0.01, 3600);
  }
  return video;
}

ConvertAudio parse_audio_job(const json& item, size_t index) {
  const Fields fields(item, "audio[" + std::to_string(index) + "]",
                      {"stream", "codec", "bitrate_bps", "channels"});
  constexpr std::array<CodecChoice, 3> kCodecs = {
      {{"aac", AV_CODEC_ID_AAC}, {"opus", AV_CODEC_ID_OPUS}, {"copy", std::nullopt}}};
  ConvertAudio audio;
  audio.stream = fields.integer("stream", 0, 100'000);
  audio.codec = one_of(fields, "codec", kCodecs);
  if (fields.has("bitrate_bps")) audio.bitrate_bps = fields.whole("bitrate_bps", 6'000, 2'000'000);
  if (fields.has("channels")) audio.channels = fields.integer("channels", 1, 8);
  return audio;
}

ConvertSubtitles parse_subtitles_job(const json& item, size_t index) {
  const Fields fields(item, "subtitles[" + std::to_string(index) + "]", {"stream", "codec"});
  constexpr std::array<CodecChoice, 5> kCodecs = {{{"copy", std::nullopt},
                                                   {"mov_text", AV_CODEC_ID_MOV_TEXT},
                                                   {"webvtt", AV_CODEC_ID_WEBVTT},
                                                   {"subrip", AV_CODEC_ID_SUBRIP},
                                                   {"ass", AV_CODEC_ID_ASS}}};
  return {fields.integer("stream", 0, 100'000), one_of(fields, "codec", kCodecs)};
}

template <typename Entry, typename Parse>
std::vector<Entry> parse_list(const Fields& job, const char* key, const Parse& parse) {
  std::vector<Entry> entries;
  if (!job.has(key)) return entries;
  const json& list = job.list(key);
  for (size_t n = 0; n < list.size(); ++n) entries.push_back(parse(list[n], n));
  return entries;
}

/// MP4 has one text format, WebM another; Matroska takes all three.
bool suits(OutputContainer container, AVCodecID codec) {
  switch (container) {
    case OutputContainer::Mp4:
      return codec != AV_CODEC_ID_WEBVTT && codec != AV_CODEC_ID_SUBRIP && codec != AV_CODEC_ID_ASS;
    case OutputContainer::Mkv:
      return codec != AV_CODEC_ID_MOV_TEXT;
    case OutputContainer::WebM:
      break;
  }
  return codec == AV_CODEC_ID_VP9 || codec == AV_CODEC_ID_AV1 || codec == AV_CODEC_ID_OPUS ||
         codec == AV_CODEC_ID_WEBVTT;
}

void require_suitable(const ConvertJob& job, std::optional<AVCodecID> codec) {
  if (!codec || suits(job.container, *codec)) return;
  refuse(std::string{avcodec_get_name(*codec)} + " cannot be put into " +
         container_name(job.container));
}

void validate(const ConvertJob& job) {
  if (!job.video && job.audio.empty() && job.subtitles.empty()) {
    refuse("video, audio and subtitles are all empty");
  }
  if (job.end_s && *job.end_s <= job.start_s) refuse("end_s must be after start_s");
  if (job.video) require_suitable(job, job.video->codec);
  for (const ConvertAudio& audio : job.audio) require_suitable(job, audio.codec);
  for (const ConvertSubtitles& subtitles : job.subtitles) require_suitable(job, subtitles.codec);
}

ConvertJob job_from_json(const json& document) {
  const Fields fields(document, "",
                      {"schema_version", "container", "start_s", "end_s", "video", "audio",
                       "subtitles", "metadata", "chapters"});
  fields.integer("schema_version", 1, 1);
  ConvertJob job;
  job.container = parse_container(fields);
  if (fields.has("start_s")) job.start_s = fields.number("start_s", 0, kLongestS);
  if (fields.has("end_s")) job.end_s = fields.number("end_s", 0, kLongestS);
  if (fields.has("video")) job.video = parse_video_job(fields.at("video"));
  job.audio = parse_list<ConvertAudio>(fields, "audio", parse_audio_job);
  job.subtitles = parse_list<ConvertSubtitles>(fields, "subtitles", parse_subtitles_job);
  job.metadata = fields.flag("metadata", true);
  job.chapters = fields.flag("chapters", true);
  validate(job);
  return job;
}

}  // namespace

const char* container_name(OutputContainer container) {
  switch (container) {
    case OutputContainer::Mkv:
      return "mkv";
    case OutputContainer::WebM:
      return "webm";
    case OutputContainer::Mp4:
      break;
  }
  return "mp4";
}

ConvertJob parse_convert_job(const std::string& text) {
  try {
    return job_from_json(json::parse(text));
  } catch (const json::exception& error) {
    refuse(error.what());
  }
}

ConvertJob load_convert_job(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) refuse(path.string() + " cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return parse_convert_job(text.str());
}

}  // namespace millrace::media
