#include "media/playlist.h"

#include <catch2/catch.hpp>

using namespace millrace::media;  // NOLINT(google-build-using-namespace)

namespace {

RenditionPlan rendition(const std::string& name, int64_t maxrate_bps) {
  RenditionPlan result;
  result.name = name;
  result.width = 1280;
  result.height = 720;
  result.rate.maxrate_bps = maxrate_bps;
  return result;
}

AudioPlan audio(const std::string& name, const std::string& language) {
  AudioPlan result;
  result.name = name;
  result.language = language;
  return result;
}

SegmentInfo segment(const std::string& track, int64_t index, int frames) {
  return {track, index, segment_path(track, index), 500'000, {frames * 1001, 24000}, 50'000};
}

TrackRecord pictures(const std::string& name) {
  return {"avc1.64001f", {segment(name, 0, 96), segment(name, 1, 96), segment(name, 2, 1)}, 0};
}

TrackRecord sound(const std::string& name) {
  const SegmentInfo only{name, 0, segment_path(name, 0), 60'000, {192'512, 48'000}};
  return {"mp4a.40.2", {only}, 0};
}

Plan plan_of(const std::vector<RenditionPlan>& renditions) {
  Plan plan;
  plan.frame_rate = {24000, 1001};
  plan.segment_frames = 96;
  plan.renditions = renditions;
  return plan;
}

std::string text_of(const Plan& plan, const std::string& path) {
  TrackRecords tracks;
  for (const auto& entry : plan.renditions) tracks[entry.name] = pictures(entry.name);
  for (const auto& entry : plan.audio) tracks[entry.name] = sound(entry.name);
  for (const TextFile& file : hls_playlists(plan, tracks)) {
    if (file.path == path) return file.text;
  }
  FAIL("no " << path);
  return {};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("segments are listed with exact durations when a media playlist is written") {
  CHECK(text_of(plan_of({rendition("720p", 2'800'000)}), "720p/index.m3u8") ==
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n"
        "#EXTINF:4.004000,\n00000.m4s\n#EXTINF:4.004000,\n00001.m4s\n#EXTINF:0.041708,\n"
        "00002.m4s\n#EXT-X-ENDLIST\n");
}

TEST_CASE("every segment's beginning is named when the I-frames are listed") {
  CHECK(text_of(plan_of({rendition("720p", 2'800'000)}), "720p/iframes.m3u8") ==
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-I-FRAMES-ONLY\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-MAP:URI=\"init.mp4\"\n"
        "#EXTINF:4.004000,\n#EXT-X-BYTERANGE:50000@0\n00000.m4s\n"
        "#EXTINF:4.004000,\n#EXT-X-BYTERANGE:50000@0\n00001.m4s\n"
        "#EXTINF:0.041708,\n#EXT-X-BYTERANGE:50000@0\n00002.m4s\n#EXT-X-ENDLIST\n");
}

TEST_CASE("audio is counted into every variant when a master playlist is written") {
  Plan plan = plan_of({rendition("720p", 2'800'000)});
  plan.audio = {audio("audio-0", "deu")};
  CHECK(text_of(plan, "master.m3u8") ==
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"deu\",LANGUAGE=\"deu\",DEFAULT=YES,"
        "AUTOSELECT=YES,CHANNELS=\"2\",URI=\"audio-0/index.m3u8\"\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=2097086,AVERAGE-BANDWIDTH=1610419,"
        "CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=23.976,VIDEO-RANGE=SDR,"
        "CLOSED-CAPTIONS=NONE,AUDIO=\"audio\"\n720p/index.m3u8\n"
        "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=197741,AVERAGE-BANDWIDTH=149074,"
        "CODECS=\"avc1.64001f\",RESOLUTION=1280x720,VIDEO-RANGE=SDR,URI=\"720p/iframes.m3u8\"\n");
}

TEST_CASE("no audio group is named when there is no audio") {
  const std::string text = text_of(plan_of({rendition("360p", 800'000)}), "master.m3u8");
  CHECK_FALSE(contains(text, "AUDIO"));
  CHECK(contains(text, "CODECS=\"avc1.64001f\""));
}

TEST_CASE("the variant most connections carry comes first when there are several") {
  const auto order = [](const std::string& text) {
    std::vector<size_t> places;
    for (const char* name : {"720p", "1080p", "480p"}) {
      places.push_back(text.find(std::string{"\n"} + name + "/index.m3u8"));
    }
    return places;
  };
  const Plan plan = plan_of(
      {rendition("1080p", 5'000'000), rendition("720p", 2'800'000), rendition("480p", 1'400'000)});
  const auto places = order(text_of(plan, "master.m3u8"));
  CHECK(places[0] < places[1]);
  CHECK(places[1] < places[2]);
  CHECK(places[2] != std::string::npos);
}

TEST_CASE("H.264 comes first when there are other codecs, too") {
  const auto first_of = [](const std::vector<RenditionPlan>& renditions) {
    const std::string text = text_of(plan_of(renditions), "master.m3u8");
    const size_t begin = text.find('\n', text.find("STREAM-INF")) + 1;
    return text.substr(begin, text.find('/', begin) - begin);
  };
  RenditionPlan hevc = rendition("hevc", 1'800'000);
  hevc.codec = VideoCodec::Hevc;
  RenditionPlan av1 = rendition("av1", 1'500'000);
  av1.codec = VideoCodec::Av1;
  CHECK(first_of({av1, hevc, rendition("1080p", 5'000'000), rendition("720p", 2'800'000)}) ==
        "720p");
  CHECK(first_of({av1, rendition("2160p", 16'000'000), rendition("1080p", 5'000'000), hevc}) ==
        "1080p");
  CHECK(first_of({hevc, av1}) == "hevc");
}

TEST_CASE("names are unique and only one is the default when tracks share a language") {
  Plan plan = plan_of({rendition("360p", 800'000)});
  plan.audio = {audio("audio-0", "eng"), audio("audio-1", "eng"), audio("audio-2", "de\"u\nX")};
  plan.audio[1].is_default = true;
  const std::string text = text_of(plan, "master.m3u8");
  CHECK(contains(text, "NAME=\"eng (0)\",LANGUAGE=\"eng\",DEFAULT=NO"));
  CHECK(contains(text, "NAME=\"eng (1)\",LANGUAGE=\"eng\",DEFAULT=YES"));
  CHECK(contains(text, "NAME=\"audio-2\",DEFAULT=NO"));
}
