#include "media/manifest.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>

#include "media/rates.h"
#include "media/video_segmenter.h"
#include "media/xml_writer.h"

extern "C" {
#include <libavutil/mathematics.h>
}

namespace millrace::media {

namespace {

/// xs:duration.
std::string xs_duration(double seconds) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "PT%.6fS", seconds);
  return text.data();
}

double track_length_s(const TrackRecord& track) {
  if (track.segments.empty()) return 0;
  int64_t ticks = 0;
  for (const SegmentInfo& segment : track.segments) ticks += segment.duration.num;
  return static_cast<double>(ticks) / track.segments.front().duration.den;
}

double longest_segment_s(const TrackRecords& tracks) {
  double longest = 0;
  for (const auto& [name, track] : tracks) {
    for (const SegmentInfo& segment : track.segments) {
      longest = std::max(longest, av_q2d(segment.duration));
    }
  }
  return longest;
}

double longest_track_s(const TrackRecords& tracks) {
  double longest = 0;
  for (const auto& [name, track] : tracks) longest = std::max(longest, track_length_s(track));
  return longest;
}

std::string frame_rate_of(const Plan& plan) {
  const int divisor = std::gcd(plan.frame_rate.num, plan.frame_rate.den);
  const std::string numerator = std::to_string(plan.frame_rate.num / divisor);
  const int denominator = plan.frame_rate.den / divisor;
  return denominator == 1 ? numerator : numerator + "/" + std::to_string(denominator);
}

class ManifestWriter {
 public:
  ManifestWriter(const Plan& plan, const TrackRecords& tracks)
      : plan_(plan), tracks_(tracks), target_s_(target_duration_s(plan, tracks)) {}

  std::string write() {
    const XmlWriter::Attributes attributes = {
        {"xmlns", "urn:mpeg:dash:schema:mpd:2011"},
        {"profiles", "urn:mpeg:dash:profile:isoff-live:2011"},
        {"type", "static"},
        {"mediaPresentationDuration", xs_duration(longest_track_s(tracks_))},
        // At @bandwidth, which covers every segment, the longest has arrived by then.
        {"minBufferTime", xs_duration(longest_segment_s(tracks_))}};
    out_.element("MPD", attributes, [&] {
      out_.element("Period", {{"id", "0"}, {"start", "PT0S"}}, [&] {
        size_t id = 0;
        for (const auto& renditions : by_codec()) video_set(id++, renditions);
        for (size_t n = 0; n < plan_.audio.size(); ++n) audio_set(id++, n);
        for (size_t n = 0; n < plan_.subtitles.size(); ++n) subtitle_set(id++, n);
      });
    });
    return out_.take();
  }

 private:
  using Renditions = std::vector<const RenditionPlan*>;

  /// Within a set a player switches freely, so that each codec has one of its own (5.3.3.1); in the
  /// order in which the plan names them first.
  std::vector<Renditions> by_codec() const {
    std::vector<Renditions> groups;
    for (const RenditionPlan& rendition : plan_.renditions) {
      const auto same = [&](const Renditions& group) {
        return group.front()->codec == rendition.codec;
      };
      const auto found = std::find_if(groups.begin(), groups.end(), same);
      Renditions& group = found == groups.end() ? groups.emplace_back() : *found;
      group.push_back(&rendition);
    }
    return groups;
  }

  /// Renditions of one codec, which share one grid; so one timeline is that of all.
  void video_set(size_t id, const Renditions& renditions) {
    out_.element("AdaptationSet", set_attributes(id, "video", ""), [&] {
      const TrackRecord& first = tracks_.at(renditions.front()->name);
      segment_template(VideoSegmenter::timescale_for(plan_.frame_rate), first);
      for (const RenditionPlan* rendition : renditions) video_representation(*rendition);
    });
  }

  void video_representation(const RenditionPlan& rendition) {
    const TrackRecord& track = tracks_.at(rendition.name);
    out_.element("Representation", {{"id", rendition.name},
                                    {"codecs", track.codecs},
                                    {"bandwidth", bandwidth(track)},
                                    {"width", std::to_string(rendition.width)},
                                    {"height", std::to_string(rendition.height)},
                                    {"frameRate", frame_rate_of(plan_)},
                                    {"sar", "1:1"}});
  }

  void audio_set(size_t id, size_t n) {
    const AudioPlan& audio = plan_.audio[n];
    const TrackRecord& track = tracks_.at(audio.name);
    out_.element("AdaptationSet", set_attributes(id, "audio", language_tag(audio.language)), [&] {
      const size_t sound = plan_.downmix_of(n).value_or(n);
      const std::string role = sound == plan_.default_audio() ? "main" : "alternate";
      out_.element("Role", {{"schemeIdUri", "urn:mpeg:dash:role:2011"}, {"value", role}});
      segment_template(static_cast<uint32_t>(audio.sample_rate_hz), track);
      const XmlWriter::Attributes attributes = {
          {"id", audio.name},
          {"codecs", track.codecs},
          {"bandwidth", bandwidth(track)},
          {"audioSamplingRate", std::to_string(audio.sample_rate_hz)}};
      out_.element("Representation", attributes, [&] {
        out_.element("AudioChannelConfiguration",
                     {{"schemeIdUri", "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"},
                      {"value", std::to_string(audio.channels)}});
      });
    });
  }

  /// The whole track as one file, which every player of WebVTT can read.
  void subtitle_set(size_t id, size_t n) {
    const SubtitlePlan& subtitles = plan_.subtitles[n];
    XmlWriter::Attributes attributes = {
        {"id", std::to_string(id)}, {"contentType", "text"}, {"mimeType", "text/vtt"}};
    const std::string language = language_tag(subtitles.language);
    if (!language.empty()) attributes.emplace_back("lang", language);
    out_.element("AdaptationSet", attributes, [&] {
      const std::string role = subtitles.is_forced ? "forced-subtitle" : "subtitle";
      out_.element("Role", {{"schemeIdUri", "urn:mpeg:dash:role:2011"}, {"value", role}});
      const XmlWriter::Attributes representation = {
          {"id", subtitles.name}, {"bandwidth", bandwidth(tracks_.at(subtitles.name))}};
      out_.element("Representation", representation,
                   [&] { out_.text_element("BaseURL", subtitles.name + "/" + kWholeSubtitles); });
    });
  }

  static XmlWriter::Attributes set_attributes(size_t id, const std::string& content,
                                              const std::string& language) {
    XmlWriter::Attributes attributes = {
        {"id", std::to_string(id)}, {"contentType", content}, {"mimeType", content + "/mp4"}};
    if (!language.empty()) attributes.emplace_back("lang", language);
    attributes.emplace_back("segmentAlignment", "true");
    attributes.emplace_back("startWithSAP", "1");
    return attributes;
  }

  /// Every segment's exact duration, equal ones in one line. Times are whole ticks, because the
  /// timescale is a multiple of the frame rate's or the sampling rate.
  void segment_template(uint32_t timescale, const TrackRecord& track) {
    const XmlWriter::Attributes attributes = {{"timescale", std::to_string(timescale)},
                                              {"initialization", "$RepresentationID$/init.mp4"},
                                              {"media", "$RepresentationID$/$Number%05d$.m4s"},
                                              {"startNumber", "0"}};
    out_.element("SegmentTemplate", attributes, [&] {
      out_.element("SegmentTimeline", {}, [&] { timeline(timescale, track.segments); });
    });
  }

  void timeline(uint32_t timescale, const std::vector<SegmentInfo>& segments) {
    const auto ticks = [timescale](const SegmentInfo& segment) {
      return av_rescale(segment.duration.num, timescale, segment.duration.den);
    };
    for (auto run = segments.begin(); run != segments.end();) {
      const int64_t length = ticks(*run);
      const auto end = std::find_if(run, segments.end(), [&](const SegmentInfo& segment) {
        return ticks(segment) != length;
      });
      XmlWriter::Attributes attributes;
      if (run == segments.begin()) attributes.emplace_back("t", "0");
      attributes.emplace_back("d", std::to_string(length));
      if (end - run > 1) attributes.emplace_back("r", std::to_string(end - run - 1));
      out_.element("S", attributes);
      run = end;
    }
  }

  std::string bandwidth(const TrackRecord& track) const {
    return std::to_string(measure(track.segments, target_s_).peak_bps);
  }

  const Plan& plan_;
  const TrackRecords& tracks_;
  int64_t target_s_;
  XmlWriter out_;
};

}  // namespace

std::string dash_manifest(const Plan& plan, const TrackRecords& tracks) {
  return ManifestWriter(plan, tracks).write();
}

}  // namespace millrace::media
