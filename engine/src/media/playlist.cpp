#include "media/playlist.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

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

/// How a media playlist names segments. MPEG-TS and WebVTT need no init file, so that players which
/// know version 3 only take them.
struct Form {
  int version = 3;
  std::string map;
};

constexpr int kLeastVersionOfGroupsAndRanges = 4;

Form form_of(SegmentFormat format) {
  if (format == SegmentFormat::MpegTs) return {};
  return {7, "#EXT-X-MAP:URI=\"init.mp4\"\n"};
}

Form text_form_of(SegmentFormat format) {
  return {form_of(format).version, ""};
}

std::string version_line(int version) {
  return "#EXTM3U\n#EXT-X-VERSION:" + std::to_string(version) + "\n";
}

std::string head_of(int64_t target_s, const std::string& more, const Form& form) {
  return version_line(form.version) + "#EXT-X-TARGETDURATION:" + std::to_string(target_s) +
         "\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n" + more +
         "#EXT-X-INDEPENDENT-SEGMENTS\n" + form.map;
}

std::string media_playlist(const TrackRecord& track, int64_t target_s, const Form& form) {
  std::string text = head_of(target_s, "", form);
  for (const SegmentInfo& segment : track.segments) {
    text +=
        "#EXTINF:" + fixed(av_q2d(segment.duration), 6) + ",\n" + file_name(segment.path) + "\n";
  }
  return text + "#EXT-X-ENDLIST\n";
}

/// 4.3.3.6: each entry is the beginning of a segment, up to the end of its one I-frame, and lasts
/// until the next I-frame.
std::string iframe_playlist(const TrackRecord& track, int64_t target_s, Form form) {
  form.version = std::max(form.version, kLeastVersionOfGroupsAndRanges);
  std::string text = head_of(target_s, "#EXT-X-I-FRAMES-ONLY\n", form);
  for (const SegmentInfo& segment : track.segments) {
    text += "#EXTINF:" + fixed(av_q2d(segment.duration), 6) + ",\n";
    text += "#EXT-X-BYTERANGE:" + std::to_string(segment.iframe_bytes) + "@0\n";
    text += file_name(segment.path) + "\n";
  }
  return text + "#EXT-X-ENDLIST\n";
}

/// A GROUP-ID (4.3.4.1.1) and the tracks in it.
struct AudioGroup {
  struct Member {
    size_t sound = 0;  ///< the entry that names it and says whether it is the default
    size_t track = 0;  ///< the entry that is played
  };

  std::string id;
  std::vector<Member> members;
};

/// One group of every sound; with surround sound a second one of the same members, each in more
/// channels where there is such a track.
std::vector<AudioGroup> audio_groups(const Plan& plan) {
  AudioGroup downmixed{"audio", {}};
  std::map<size_t, size_t> surround;
  for (size_t n = 0; n < plan.audio.size(); ++n) {
    if (const auto downmix = plan.downmix_of(n)) {
      surround[*downmix] = n;
    } else {
      downmixed.members.push_back({n, n});
    }
  }
  if (plan.audio.empty()) return {};
  if (surround.empty()) return {downmixed};
  AudioGroup full{"surround", {}};
  for (const auto& member : downmixed.members) {
    const auto found = surround.find(member.sound);
    full.members.push_back({member.sound, found == surround.end() ? member.track : found->second});
  }
  return {downmixed, full};
}

class MasterWriter {
 public:
  MasterWriter(const Plan& plan, const TrackRecords& tracks, int64_t target_s)
      : plan_(plan),
        tracks_(tracks),
        target_s_(target_s),
        groups_(audio_groups(plan)),
        texts_(highest(plan.subtitles, [](const SubtitlePlan& entry) { return entry.name; })) {}

  std::string write() const {
    const int version = std::max(form_of(plan_.format).version, kLeastVersionOfGroupsAndRanges);
    std::string text = version_line(version) + "#EXT-X-INDEPENDENT-SEGMENTS\n";
    for (const AudioGroup& group : groups_) {
      for (const auto& member : group.members) text += audio_line(group, member);
    }
    for (size_t n = 0; n < plan_.subtitles.size(); ++n) text += subtitles_line(n);
    const std::vector<const RenditionPlan*> renditions = by_start();
    for (const RenditionPlan* rendition : renditions) {
      if (groups_.empty()) text += variant_lines(*rendition, nullptr);
    }
    for (const AudioGroup& group : groups_) {
      for (const RenditionPlan* rendition : renditions) text += variant_lines(*rendition, &group);
    }
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

  /// The highest rates of any of the tracks: one of them plays.
  template <typename Entries, typename NameOf>
  BitRates highest(const Entries& entries, NameOf name_of) const {
    BitRates highest;
    for (const auto& entry : entries) {
      const BitRates rates = measure(tracks_.at(name_of(entry)).segments, target_s_);
      highest.peak_bps = std::max(highest.peak_bps, rates.peak_bps);
      highest.average_bps = std::max(highest.average_bps, rates.average_bps);
    }
    return highest;
  }

  VideoCodec start_codec() const {
    const bool h264 = std::any_of(
        plan_.renditions.begin(), plan_.renditions.end(),
        [](const RenditionPlan& rendition) { return rendition.codec == VideoCodec::H264; });
    return h264 ? VideoCodec::H264 : plan_.renditions.front().codec;
  }

  /// 4.3.4.1; NAMEs are unique within the group (4.3.4.1.1).
  std::string audio_line(const AudioGroup& group, const AudioGroup::Member& member) const {
    const AudioPlan& sound = plan_.audio[member.sound];
    const AudioPlan& track = plan_.audio[member.track];
    const std::string language = language_tag(sound.language);
    std::string line = "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=" + quoted(group.id);
    line += ",NAME=" + quoted(name_of(sound));
    if (!language.empty()) line += ",LANGUAGE=" + quoted(language);
    line += std::string{",DEFAULT="} + (member.sound == plan_.default_audio() ? "YES" : "NO");
    line += ",AUTOSELECT=YES,CHANNELS=" + quoted(std::to_string(track.channels));
    return line + ",URI=" + quoted(track.name + "/index.m3u8") + "\n";
  }

  std::string name_of(const AudioPlan& audio) const {
    std::vector<std::string> labels;
    for (const auto& member : groups_.front().members) {
      labels.push_back(label_of(plan_.audio[member.sound]));
    }
    return numbered_if_shared(label_of(audio), labels, audio.name);
  }

  static std::string label_of(const AudioPlan& audio) {
    const std::string language = language_tag(audio.language);
    return language.empty() ? audio.name : language;
  }

  std::string subtitles_line(size_t n) const {
    const SubtitlePlan& subtitles = plan_.subtitles[n];
    const std::string language = language_tag(subtitles.language);
    std::vector<std::string> labels;
    for (const SubtitlePlan& other : plan_.subtitles) labels.push_back(label_of(other));
    std::string line = "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subtitles\",NAME=";
    line += quoted(numbered_if_shared(label_of(subtitles), labels, subtitles.name));
    if (!language.empty()) line += ",LANGUAGE=" + quoted(language);
    line += std::string{",DEFAULT="} + (plan_.default_subtitles() == n ? "YES" : "NO");
    line += std::string{",AUTOSELECT=YES,FORCED="} + (subtitles.is_forced ? "YES" : "NO");
    return line + ",URI=" + quoted(subtitles.name + "/index.m3u8") + "\n";
  }

  static std::string label_of(const SubtitlePlan& subtitles) {
    const std::string language = language_tag(subtitles.language);
    return (language.empty() ? subtitles.name : language) + (subtitles.is_forced ? " forced" : "");
  }

  /// "eng", or "eng (1)" of "audio-1" where another track is called "eng", too.
  static std::string numbered_if_shared(const std::string& label,
                                        const std::vector<std::string>& labels,
                                        const std::string& track) {
    if (std::count(labels.begin(), labels.end(), label) < 2) return label;
    const size_t hyphen = track.find('-');
    return label + " (" + (hyphen == std::string::npos ? track : track.substr(hyphen + 1)) + ")";
  }

  /// 4.3.4.2. BANDWIDTH is an upper bound for every playable combination.
  std::string variant_lines(const RenditionPlan& rendition, const AudioGroup* group) const {
    const BitRates own = measure(tracks_.at(rendition.name).segments, target_s_);
    const BitRates sound = group == nullptr ? BitRates{} : rates_of(*group);
    std::string line = "#EXT-X-STREAM-INF:BANDWIDTH=";
    line += std::to_string(own.peak_bps + sound.peak_bps + texts_.peak_bps);
    line += ",AVERAGE-BANDWIDTH=" +
            std::to_string(own.average_bps + sound.average_bps + texts_.average_bps);
    line += ",CODECS=" + quoted(codecs_with_sound(tracks_.at(rendition.name).codecs, group));
    line += ",RESOLUTION=" + resolution(rendition);
    line += ",FRAME-RATE=" + fixed(av_q2d(plan_.frame_rate), 3);
    line += ",VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE";
    if (group != nullptr) line += ",AUDIO=" + quoted(group->id);
    if (!plan_.subtitles.empty()) line += ",SUBTITLES=\"subtitles\"";
    return line + "\n" + rendition.name + "/index.m3u8\n";
  }

  BitRates rates_of(const AudioGroup& group) const {
    return highest(group.members, [this](const AudioGroup::Member& member) {
      return plan_.audio[member.track].name;
    });
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

  std::string codecs_with_sound(const std::string& own, const AudioGroup* group) const {
    std::vector<std::string> all = {own};
    for (const auto& member :
         group == nullptr ? std::vector<AudioGroup::Member>{} : group->members) {
      const std::string& codecs = tracks_.at(plan_.audio[member.track].name).codecs;
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
  std::vector<AudioGroup> groups_;
  BitRates texts_;  ///< of the subtitles
};

}  // namespace

std::vector<TextFile> hls_playlists(const Plan& plan, const TrackRecords& tracks) {
  const int64_t target_s = target_duration_s(plan, tracks);
  const Form form = form_of(plan.format);
  std::vector<TextFile> files;
  const auto add = [&](const std::string& name, const Form& own) {
    files.push_back({name + "/index.m3u8", media_playlist(tracks.at(name), target_s, own)});
  };
  for (const AudioPlan& audio : plan.audio) add(audio.name, form);
  for (const SubtitlePlan& entry : plan.subtitles) add(entry.name, text_form_of(plan.format));
  for (const RenditionPlan& rendition : plan.renditions) {
    add(rendition.name, form);
    files.push_back({rendition.name + "/iframes.m3u8",
                     iframe_playlist(tracks.at(rendition.name), target_s, form)});
  }
  files.push_back({"master.m3u8", MasterWriter(plan, tracks, target_s).write()});
  return files;
}

}  // namespace millrace::media
