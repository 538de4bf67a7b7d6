#include "media/playlist.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace millrace::media {

namespace {

double duration_of(const SegmentInfo& segment) {
  return av_q2d(segment.duration);
}

std::string fixed(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string file_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

/// RFC 5646 wants two letters where there are two; the usual ones are enough for a label.
std::string language_attribute(const std::string& language) {
  return language.empty() || language == "und" ? "" : ",LANGUAGE=" + quoted(language);
}

std::string audio_line(const AudioInfo& audio, bool is_default) {
  std::string line = "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=" + quoted(audio.name);
  line += language_attribute(audio.language);
  line += std::string{",DEFAULT="} + (is_default ? "YES" : "NO") + ",AUTOSELECT=YES";
  line += ",CHANNELS=" + quoted(std::to_string(audio.channels));
  line += ",URI=" + quoted(audio.name + "/index.m3u8");
  return line + "\n";
}

std::string variant_lines(const VariantInfo& variant, const std::vector<AudioInfo>& audio) {
  int64_t audio_peak = 0;
  int64_t audio_average = 0;
  for (const AudioInfo& track : audio) {
    audio_peak = std::max(audio_peak, track.rates.peak_bps);
    audio_average = std::max(audio_average, track.rates.average_bps);
  }
  const std::string codecs =
      audio.empty() ? variant.codecs : variant.codecs + "," + audio.front().codecs;
  std::string line = "#EXT-X-STREAM-INF:BANDWIDTH=";
  line += std::to_string(variant.rates.peak_bps + audio_peak);
  line += ",AVERAGE-BANDWIDTH=" + std::to_string(variant.rates.average_bps + audio_average);
  line += ",CODECS=" + quoted(codecs);
  line += ",RESOLUTION=" + std::to_string(variant.width) + "x" + std::to_string(variant.height);
  line += ",FRAME-RATE=" + fixed(av_q2d(variant.frame_rate), 3);
  if (!audio.empty()) line += ",AUDIO=\"audio\"";
  line += ",CLOSED-CAPTIONS=NONE\n";
  return line + variant.name + "/index.m3u8\n";
}

}  // namespace

int target_duration_s(const std::vector<SegmentInfo>& segments) {
  double longest = 0;
  for (const SegmentInfo& segment : segments) longest = std::max(longest, duration_of(segment));
  return std::max(1, static_cast<int>(std::lround(longest)));
}

BitRates measure(const std::vector<SegmentInfo>& segments) {
  const double target = target_duration_s(segments);
  double peak = 0;
  double all_bits = 0;
  double all_s = 0;
  for (size_t first = 0; first < segments.size(); ++first) {
    double bits = 0;
    double length_s = 0;
    for (size_t last = first; last < segments.size() && length_s <= 1.5 * target; ++last) {
      bits += static_cast<double>(segments[last].bytes) * 8;
      length_s += duration_of(segments[last]);
      if (length_s >= 0.5 * target && length_s <= 1.5 * target) {
        peak = std::max(peak, bits / length_s);
      }
    }
    all_bits += static_cast<double>(segments[first].bytes) * 8;
    all_s += duration_of(segments[first]);
  }
  if (all_s <= 0) return {};
  const double average = all_bits / all_s;
  return {static_cast<int64_t>(std::ceil(std::max(peak, average))),
          static_cast<int64_t>(std::ceil(average))};
}

std::string media_playlist(const std::vector<SegmentInfo>& segments) {
  std::string text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:";
  text += std::to_string(target_duration_s(segments));
  text += "\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n";
  text += "#EXT-X-MAP:URI=\"init.mp4\"\n";
  for (const SegmentInfo& segment : segments) {
    text += "#EXTINF:" + fixed(duration_of(segment), 6) + ",\n" + file_name(segment.path) + "\n";
  }
  return text + "#EXT-X-ENDLIST\n";
}

std::string master_playlist(const std::vector<VariantInfo>& variants,
                            const std::vector<AudioInfo>& audio) {
  std::string text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n";
  const bool any_default = std::any_of(audio.begin(), audio.end(),
                                       [](const AudioInfo& track) { return track.is_default; });
  bool default_given = false;
  for (const AudioInfo& track : audio) {
    const bool is_default = !default_given && (track.is_default || !any_default);
    default_given = default_given || is_default;
    text += audio_line(track, is_default);
  }
  for (const VariantInfo& variant : variants) text += variant_lines(variant, audio);
  return text;
}

}  // namespace millrace::media
