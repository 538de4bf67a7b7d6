#include "media/manifest.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "media/xml_writer.h"

using namespace millrace::media;  // NOLINT(google-build-using-namespace)

namespace {

SegmentInfo segment(const std::string& track, int64_t index, int64_t bytes, AVRational duration) {
  return {track, index, segment_path(track, index), bytes, duration};
}

}  // namespace

TEST_CASE("every line is as expected when a manifest is written") {
  Plan plan;
  plan.frame_rate = {30000, 1001};
  plan.segment_frames = 120;
  RenditionPlan rendition;
  rendition.name = "360p";
  rendition.width = 640;
  rendition.height = 360;
  plan.renditions = {rendition};
  AudioPlan audio;
  audio.name = "audio-0";
  audio.language = "deu";
  plan.audio = {audio};
  TrackRecords tracks;
  for (int n = 0; n < 3; ++n) {
    const AVRational length{(n == 2 ? 30 : 120) * 1001, 30000};
    tracks["360p"].segments.push_back(segment("360p", n, 100'100, length));
    tracks["audio-0"].segments.push_back(
        segment("audio-0", n, 48'000, {(n == 0 ? 188 : 187) * 1024, 48000}));
  }
  tracks["360p"].codecs = "avc1.64001e";
  tracks["audio-0"].codecs = "mp4a.40.2";
  CHECK(dash_manifest(plan, tracks) ==
        R"(<?xml version="1.0" encoding="utf-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static" mediaPresentationDuration="PT11.989333S" minBufferTime="PT4.010667S">
  <Period id="0" start="PT0S">
    <AdaptationSet id="0" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">
      <SegmentTemplate timescale="30000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number%05d$.m4s" startNumber="0">
        <SegmentTimeline>
          <S t="0" d="120120" r="1" />
          <S d="30030" />
        </SegmentTimeline>
      </SegmentTemplate>
      <Representation id="360p" codecs="avc1.64001e" bandwidth="320000" width="640" height="360" frameRate="30000/1001" sar="1:1" />
    </AdaptationSet>
    <AdaptationSet id="1" contentType="audio" mimeType="audio/mp4" lang="deu" segmentAlignment="true" startWithSAP="1">
      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main" />
      <SegmentTemplate timescale="48000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number%05d$.m4s" startNumber="0">
        <SegmentTimeline>
          <S t="0" d="192512" />
          <S d="191488" r="1" />
        </SegmentTimeline>
      </SegmentTemplate>
      <Representation id="audio-0" codecs="mp4a.40.2" bandwidth="96257" audioSamplingRate="48000">
        <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2" />
      </Representation>
    </AdaptationSet>
  </Period>
</MPD>
)");
}

TEST_CASE("each codec has a set of its own when there are several") {
  Plan plan;
  TrackRecords tracks;
  const auto add = [&](const std::string& name, VideoCodec codec) {
    RenditionPlan rendition;
    rendition.name = name;
    rendition.codec = codec;
    plan.renditions.push_back(rendition);
    tracks[name].segments.push_back(segment(name, 0, 1000, {4, 1}));
  };
  add("hevc-2", VideoCodec::Hevc);
  add("h264-2", VideoCodec::H264);
  add("hevc-1", VideoCodec::Hevc);
  add("h264-1", VideoCodec::H264);
  const std::string text = dash_manifest(plan, tracks);
  std::vector<size_t> places;
  for (const char* part : {"<AdaptationSet id=\"0\"", "hevc-2", "hevc-1", "<AdaptationSet id=\"1\"",
                           "h264-2", "h264-1", "</Period>"}) {
    places.push_back(text.find(part));
  }
  CHECK(std::is_sorted(places.begin(), places.end()));
  CHECK(places.back() != std::string::npos);
  CHECK(text.find("<AdaptationSet id=\"2\"") == std::string::npos);
}

TEST_CASE("special characters are escaped when XML is written") {
  XmlWriter out;
  out.element("S", {{"a", "<\"&'>"}});
  CHECK(out.take() ==
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<S a=\"&lt;&quot;&amp;'&gt;\" />\n");
}
