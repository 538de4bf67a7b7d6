#include "media/playlist.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "media/rates.h"

namespace millrace::media {

namespace {

/// A player starts with the variant named first; this much most connections carry.
constexpr int64_t kStartBelowBps = 3'000'000;

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

std::string head_of(int64_t target_s, const std::string& more) {
  return "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:" + std::to_string(target_s) +
         "\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n" + more +
         "#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n";
}

std::string media_playlist(const TrackRecord& track, int64_t target_s) {
  std::string text = head_of(target_s, "");
  for (const SegmentInfo& segment : track.segments) {
    text +=
        "#EXTINF:" + fixed(av_q2d(segment.duration), 6) + ",\n" + file_name(segment.path) + "\n";
  }
  return text + "#EXT-X-ENDLIST\n";
}

/// 4.3.3.6: each entry is the beginning of a segment, up to the end of its one I-frame, and lasts
/// until the next I-frame.
std::string iframe_playlist(const TrackRecord& track, int64_t target_s) {
  std::string text = head_of(target_s, "#EXT-X-I-FRAMES-ONLY\n");
  for (const SegmentInfo& segment : track.segments) {
    text += "#EXTINF:" + fixed(av_q2d(segment.duration), 6) + ",\n";
    text += "#EXT-X-BYTERANGE:" + std::to_string(segment.iframe_bytes) + "@0\n";
    text += file_name(segment.path) + "\n";
  }
  return text + "#EXT-X-ENDLIST\n";
}

class MasterWriter {
 public:
  MasterWriter(const Plan& plan, const TrackRecords& tracks, int64_t target_s)
      : plan_(plan), tracks_(tracks), target_s_(target_s) {
    for (const AudioPlan& audio : plan.audio) {
      const TrackRecord& track = tracks.at(audio.name);
      const BitRates rates = measure(track.segments, target_s);
      sound_.peak_bps = std::max(sound_.peak_bps, rates.peak_bps);
      sound_.average_bps = std::max(sound_.average_bps, rates.average_bps);
    }
  }

  std::string write() const {
    std::string text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n";
    for (size_t n = 0; n < plan_.audio.size(); ++n) text += audio_line(n);
    const std::vector<const RenditionPlan*> renditions = by_start();
    for (const RenditionPlan* rendition : renditions) text += variant_lines(*rendition);
    for (const RenditionPlan* rendition : renditions) text += iframe_line(*rendition);
    return text;
  }

 private:
  /// The variant to start with first, the others in the plan's order. Players that do not look at
  /// CODECS take the first one: it is H.264 if there is any.
  std::vector<const RenditionPlan*> by_start() const {
    std::vector<const RenditionPlan*> order;
    for (const RenditionPlan& rendition : plan_.renditions) order.push_back(&rendition);
    const VideoCodec codec = start_codec();
    const auto usual = [codec](const RenditionPlan* rendition) {
      return rendition->codec == codec;
    };
    auto first = std::find_if(order.begin(), order.end(), [&](const RenditionPlan* rendition) {
      return usual(rendition) && rendition->rate.maxrate_bps <= kStartBelowBps;
    });
    if (first == order.end()) first = std::find_if(order.rbegin(), order.rend(), usual).base() - 1;
    std::rotate(order.begin(), first, first + 1);
    return order;
  }

  VideoCodec start_codec() const {
    const bool h264 = std::any_of(
        plan_.renditions.begin(), plan_.renditions.end(),
        [](const RenditionPlan& rendition) { return rendition.codec == VideoCodec::H264; });
    return h264 ? VideoCodec::H264 : plan_.renditions.front().codec;
  }

  /// 4.3.4.1; NAMEs are unique within the group (4.3.4.1.1).
  std::string audio_line(size_t n) const {
    const AudioPlan& audio = plan_.audio[n];
    const std::string language = audio.language_tag();
    std::string line = "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=" + quoted(name_of(audio));
    if (!language.empty()) line += ",LANGUAGE=" + quoted(language);
    line += std::string{",DEFAULT="} + (n == plan_.default_audio() ? "YES" : "NO");
    line += ",AUTOSELECT=YES,CHANNELS=" + quoted(std::to_string(audio.channels));
    return line + ",URI=" + quoted(audio.name + "/index.m3u8") + "\n";
  }

  std::string name_of(const AudioPlan& audio) const {
    const std::string language = audio.language_tag();
    std::string name = language.empty() ? audio.name : language;
    const auto same =
        std::count_if(plan_.audio.begin(), plan_.audio.end(),
                      [&](const AudioPlan& other) { return other.language_tag() == language; });
    if (same < 2) return name;
    const bool numbered = audio.name.starts_with("audio-");
    return name + " (" + (numbered ? audio.name.substr(6) : audio.name) + ")";
  }

  /// 4.3.4.2. BANDWIDTH is an upper bound for every playable combination.
  std::string variant_lines(const RenditionPlan& rendition) const {
    const BitRates rates = measure(tracks_.at(rendition.name).segments, target_s_);
    std::string line = "#EXT-X-STREAM-INF:BANDWIDTH=";
    line += std::to_string(rates.peak_bps + sound_.peak_bps);
    line += ",AVERAGE-BANDWIDTH=" + std::to_string(rates.average_bps + sound_.average_bps);
    line += ",CODECS=" + quoted(codecs_with_sound(tracks_.at(rendition.name).codecs));
    line += ",RESOLUTION=" + resolution(rendition);
    line += ",FRAME-RATE=" + fixed(av_q2d(plan_.frame_rate), 3);
    line += ",VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE";
    if (!plan_.audio.empty()) line += ",AUDIO=\"audio\"";
    return line + "\n" + rendition.name + "/index.m3u8\n";
  }

  /// 4.3.4.3: as for the variant, of the I-frames alone.
  std::string iframe_line(const RenditionPlan& rendition) const {
    const TrackRecord& track = tracks_.at(rendition.name);
    const BitRates rates = measure(track.segments, target_s_, &SegmentInfo::iframe_bytes);
    return "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=" + std::to_string(rates.peak_bps) +
           ",AVERAGE-BANDWIDTH=" + std::to_string(rates.average_bps) +
           ",CODECS=" + quoted(track.codecs) + ",RESOLUTION=" + resolution(rendition) +
           ",VIDEO-RANGE=SDR,URI=" + quoted(rendition.name + "/iframes.m3u8") + "\n";
  }

  std::string codecs_with_sound(const std::string& own) const {
    std::vector<std::string> all = {own};
    for (const AudioPlan& audio : plan_.audio) {
      const std::string& codecs = tracks_.at(audio.name).codecs;
      if (std::find(all.begin(), all.end(), codecs) == all.end()) all.push_back(codecs);
    }
    std::string joined = all.front();
    for (size_t n = 1; n < all.size(); ++n) joined += "," + all[n];
    return joined;
  }

  static std::string resolution(const RenditionPlan& rendition) {
    return std::to_string(rendition.width) + "x" + std::to_string(rendition.height);
  }

  const Plan& plan_;
  const TrackRecords& tracks_;
  int64_t target_s_;
  BitRates sound_;
};

}  // namespace

std::vector<TextFile> hls_playlists(const Plan& plan, const TrackRecords& tracks) {
  const int64_t target_s = target_duration_s(plan, tracks);
  std::vector<TextFile> files;
  for (const AudioPlan& audio : plan.audio) {
    files.push_back({audio.name + "/index.m3u8", media_playlist(tracks.at(audio.name), target_s)});
  }
  for (const RenditionPlan& rendition : plan.renditions) {
    const TrackRecord& track = tracks.at(rendition.name);
    files.push_back({rendition.name + "/index.m3u8", media_playlist(track, target_s)});
    files.push_back({rendition.name + "/iframes.m3u8", iframe_playlist(track, target_s)});
  }
  files.push_back({"master.m3u8", MasterWriter(plan, tracks, target_s).write()});
  return files;
}

}  // namespace millrace::media
