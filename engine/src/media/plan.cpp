#include "media/plan.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>

namespace millrace::media {

namespace {

using nlohmann::json;

void require(bool condition, const std::string& what) {
  if (!condition) throw std::invalid_argument("plan: " + what);
}

/// A name becomes a folder: nothing but plain characters.
void require_name(const std::string& name) {
  const bool plain = name.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789-_") == std::string::npos;
  require(!name.empty() && name.size() <= 64 && plain,
          "\"" + name + "\" is not a usable name (letters, digits, - and _)");
}

VideoCodec video_codec(const std::string& name) {
  if (name == "h264") return VideoCodec::H264;
  if (name == "hevc") return VideoCodec::Hevc;
  require(name == "av1", "codec " + name + " is not supported");
  return VideoCodec::Av1;
}

/// The levels that the standards define (H.264 A.3, H.265 A.4, AV1 A.3).
const std::set<std::string>& levels_of(VideoCodec codec) {
  static const std::set<std::string> kH264 = {"1.0", "1.1", "1.2", "1.3", "2.0", "2.1",
                                              "2.2", "3.0", "3.1", "3.2", "4.0", "4.1",
                                              "4.2", "5.0", "5.1", "5.2"};
  static const std::set<std::string> kHevc = {"1.0", "2.0", "2.1", "3.0", "3.1", "4.0", "4.1",
                                              "5.0", "5.1", "5.2", "6.0", "6.1", "6.2"};
  static const std::set<std::string> kAv1 = {"2.0", "2.1", "3.0", "3.1", "4.0", "4.1", "5.0",
                                             "5.1", "5.2", "5.3", "6.0", "6.1", "6.2", "6.3"};
  if (codec == VideoCodec::Hevc) return kHevc;
  return codec == VideoCodec::Av1 ? kAv1 : kH264;
}

int level_idc(VideoCodec codec, const std::string& level) {
  const std::string full = level.find('.') == std::string::npos ? level + ".0" : level;
  require(levels_of(codec).contains(full), "unknown level " + level);
  return (full[0] - '0') * 10 + (full[2] - '0');
}

void require_profile(const RenditionPlan& rendition) {
  const std::string& profile = rendition.profile;
  if (rendition.codec == VideoCodec::H264) {
    require(profile == "high" || profile == "main" || profile == "baseline",
            "profile of " + rendition.name + " must be baseline, main or high");
  } else {
    require(profile == "main", "profile of " + rendition.name + " must be main");
  }
}

void require_size(const RenditionPlan& rendition) {
  constexpr int kLargestSide = 16384;
  const int least = rendition.codec == VideoCodec::H264 ? 2 : kLeastModernSide;
  const bool sane = rendition.width >= least && rendition.height >= least &&
                    rendition.width <= kLargestSide && rendition.height <= kLargestSide;
  require(sane && rendition.width % 2 == 0 && rendition.height % 2 == 0,
          "width and height of " + rendition.name + " must be even, " + std::to_string(least) +
              " to 16384");
}

RateControl::Mode rate_mode(const std::string& name) {
  if (name == "crf") return RateControl::Mode::Crf;
  if (name == "abr") return RateControl::Mode::Abr;
  require(name == "cbr", "rate_control must be crf, abr or cbr, not " + name);
  return RateControl::Mode::Cbr;
}

void require_crf(const RateControl& rate, const RenditionPlan& rendition) {
  const bool av1 = rendition.codec == VideoCodec::Av1;
  const int least = av1 ? 1 : 0;
  const int most = av1 ? 63 : 51;
  require(rate.crf >= least && rate.crf <= most, "crf of " + rendition.name + " must be " +
                                                     std::to_string(least) + " to " +
                                                     std::to_string(most));
  require(!av1 || rate.mode == RateControl::Mode::Crf,
          "rate_control of " + rendition.name + " must be crf, which is all that av1 has");
}

RateControl parse_rate(const json& item, const RenditionPlan& rendition) {
  const std::string& name = rendition.name;
  RateControl rate;
  rate.mode = rate_mode(item.value("rate_control", "crf"));
  rate.crf = item.value("crf", rate.crf);
  require_crf(rate, rendition);
  const bool constant = rate.mode == RateControl::Mode::Cbr;
  if (rate.mode != RateControl::Mode::Crf) rate.bitrate_bps = item.at("bitrate_bps").get<int64_t>();
  rate.maxrate_bps = constant ? rate.bitrate_bps : item.at("maxrate_bps").get<int64_t>();
  rate.bufsize_bits = item.value("bufsize_bits", rate.maxrate_bps * 3 / 2);
  require(rate.maxrate_bps >= 1000 && rate.maxrate_bps <= 1'000'000'000 &&
              rate.bufsize_bits >= 1000 && rate.bufsize_bits <= 4'000'000'000,
          "maxrate_bps or bufsize_bits of " + name + " is out of range");
  require(rate.mode == RateControl::Mode::Crf ||
              (rate.bitrate_bps >= 1000 && rate.bitrate_bps <= rate.maxrate_bps),
          "bitrate_bps of " + name + " must be 1000 to maxrate_bps");
  return rate;
}

RenditionPlan parse_rendition(const json& item) {
  RenditionPlan rendition;
  rendition.name = item.at("name").get<std::string>();
  require_name(rendition.name);
  rendition.codec = video_codec(item.value("codec", "h264"));
  rendition.width = item.at("width").get<int>();
  rendition.height = item.at("height").get<int>();
  require_size(rendition);
  const bool h264 = rendition.codec == VideoCodec::H264;
  rendition.profile = item.value("profile", h264 ? "high" : "main");
  require_profile(rendition);
  rendition.level_idc = level_idc(rendition.codec, item.value("level", "3.1"));
  rendition.rate = parse_rate(item, rendition);
  return rendition;
}

AudioPlan parse_audio(const json& item) {
  AudioPlan audio;
  audio.name = item.at("name").get<std::string>();
  require_name(audio.name);
  audio.stream = item.at("stream").get<int>();
  audio.language = item.value("language", audio.language);
  audio.channels = item.value("channels", audio.channels);
  require(audio.channels >= 1 && audio.channels <= 8, "channels must be 1 to 8");
  audio.sample_rate_hz = item.value("sample_rate_hz", audio.sample_rate_hz);
  require(audio.sample_rate_hz == 44'100 || audio.sample_rate_hz == 48'000,
          "sample_rate_hz must be 44100 or 48000");
  audio.bitrate_bps = item.value("bitrate_bps", audio.bitrate_bps);
  require(audio.bitrate_bps >= 16'000 && audio.bitrate_bps <= 512'000,
          "bitrate_bps must be 16000 to 512000");
  audio.is_default = item.value("default", false);
  return audio;
}

SubtitlePlan parse_subtitles(const json& item) {
  SubtitlePlan subtitles;
  subtitles.name = item.at("name").get<std::string>();
  require_name(subtitles.name);
  subtitles.stream = item.at("stream").get<int>();
  subtitles.language = item.value("language", subtitles.language);
  subtitles.is_default = item.value("default", false);
  subtitles.is_forced = item.value("forced", false);
  return subtitles;
}

void validate(const Plan& plan) {
  require(plan.frame_rate.num > 0 && plan.frame_rate.den > 0 && av_q2d(plan.frame_rate) <= 240 &&
              av_q2d(plan.frame_rate) >= 0.01,
          "frame_rate must be above 0 and at most 240");
  const double segment_s = plan.segment_frames / av_q2d(plan.frame_rate);
  require(segment_s >= 0.1 && segment_s <= 60, "segment_frames must make 0.1 to 60 seconds");
  require(plan.chunk_segments >= 1 && plan.head_segments >= 1 && plan.chunk_count >= 1,
          "chunks must be positive");
  require(!plan.renditions.empty(), "there is no rendition");
  for (const auto& rendition : plan.renditions) {
    require(plan.format == SegmentFormat::Cmaf || rendition.codec == VideoCodec::H264,
            "codec of " + rendition.name + " must be h264 in mpegts");
  }
  std::set<std::string> names;
  for (const auto& rendition : plan.renditions) names.insert(rendition.name);
  for (const auto& audio : plan.audio) names.insert(audio.name);
  for (const auto& subtitles : plan.subtitles) names.insert(subtitles.name);
  require(names.size() == plan.renditions.size() + plan.audio.size() + plan.subtitles.size(),
          "names must be unique");
}

Plan from_json(const json& document) {
  require(document.value("version", 0) == 1, "version must be 1");
  Plan plan;
  const std::string container = document.value("container", "cmaf");
  require(container == "cmaf" || container == "mpegts", "container must be cmaf or mpegts");
  plan.format = container == "cmaf" ? SegmentFormat::Cmaf : SegmentFormat::MpegTs;
  const json& rate = document.at("frame_rate");
  plan.frame_rate = {rate.at("num").get<int>(), rate.at("den").get<int>()};
  plan.duration_s = document.value("duration_s", 0.0);
  plan.segment_frames = document.at("segment_frames").get<int>();
  const json& video = document.at("video");
  plan.video_stream = video.at("stream").get<int>();
  plan.preset = video.value("preset", plan.preset);
  for (const json& item : video.at("renditions")) plan.renditions.push_back(parse_rendition(item));
  for (const json& item : document.value("audio", json::array())) {
    plan.audio.push_back(parse_audio(item));
  }
  for (const json& item : document.value("subtitles", json::array())) {
    plan.subtitles.push_back(parse_subtitles(item));
  }
  plan.chunk_segments = document.value("chunk_segments", plan.chunk_segments);
  plan.head_segments = document.value("head_segments", plan.chunk_segments);
  plan.chunk_count = document.value("chunk_count", plan.chunk_count);
  validate(plan);
  return plan;
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Sub-tags of 1 to 8 letters and digits with hyphens between; the first one of 2 to 8 letters.
bool is_language_tag(const std::string& text) {
  constexpr size_t kLongestTag = 35;
  if (text.size() > kLongestTag) return false;
  const size_t primary = std::min(text.find('-'), text.size());
  if (primary < 2 ||
      std::any_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(primary), is_digit)) {
    return false;
  }
  std::istringstream subtags(text + "-");
  for (std::string subtag; std::getline(subtags, subtag, '-');) {
    if (subtag.empty() || subtag.size() > 8) return false;
    if (!std::all_of(subtag.begin(), subtag.end(), is_alphanumeric)) return false;
  }
  return true;
}

}  // namespace

std::string language_tag(const std::string& language) {
  return language != "und" && is_language_tag(language) ? language : "";
}

size_t Plan::default_audio() const {
  const auto marked = std::find_if(audio.begin(), audio.end(),
                                   [](const AudioPlan& entry) { return entry.is_default; });
  return marked == audio.end() ? 0 : static_cast<size_t>(marked - audio.begin());
}

std::optional<size_t> Plan::downmix_of(size_t audio_index) const {
  const AudioPlan& own = audio[audio_index];
  if (own.channels <= 2) return std::nullopt;
  const auto found = std::find_if(audio.begin(), audio.end(), [&](const AudioPlan& other) {
    return other.channels <= 2 && other.stream == own.stream;
  });
  if (found == audio.end()) return std::nullopt;
  return static_cast<size_t>(found - audio.begin());
}

std::optional<size_t> Plan::default_subtitles() const {
  const auto marked = std::find_if(subtitles.begin(), subtitles.end(),
                                   [](const SubtitlePlan& entry) { return entry.is_default; });
  if (marked == subtitles.end()) return std::nullopt;
  return static_cast<size_t>(marked - subtitles.begin());
}

int64_t Plan::chunk_start(int chunk) const {
  if (chunk == 0) return 0;
  return (head_segments + (chunk - 1) * int64_t{chunk_segments}) * segment_frames;
}

bool Plan::starts_chunk(int64_t frame) const {
  const int64_t after_head = frame - int64_t{head_segments} * segment_frames;
  return frame == 0 ||
         (after_head >= 0 && after_head % (int64_t{chunk_segments} * segment_frames) == 0);
}

int64_t Plan::expected_frames() const {
  return std::max<int64_t>(1, std::llround(duration_s * av_q2d(frame_rate)));
}

Plan parse_plan(const std::string& text) {
  try {
    return from_json(json::parse(text));
  } catch (const json::exception& error) {
    throw std::invalid_argument(std::string{"plan: "} + error.what());
  }
}

Plan load_plan(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw std::invalid_argument("plan: " + path.string() + " cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return parse_plan(text.str());
}

}  // namespace millrace::media
