#include <catch2/catch.hpp>

#include "media/playlist.h"

using namespace millrace::media;  // NOLINT(google-build-using-namespace)

namespace {
SegmentInfo segment(int64_t index, int64_t bytes, AVRational duration) {
  return {"720p", index, segment_path("720p", index), bytes, duration};
}
}  // namespace

TEST_CASE("segments are listed with exact durations when a media playlist is written") {
  const std::string text = media_playlist(
      {segment(0, 1, {96096, 24000}), segment(1, 1, {96096, 24000}), segment(2, 1, {1001, 24000})});
  CHECK(text ==
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n"
        "#EXTINF:4.004000,\n00000.m4s\n#EXTINF:4.004000,\n00001.m4s\n#EXTINF:0.041708,\n"
        "00002.m4s\n#EXT-X-ENDLIST\n");
}

TEST_CASE("a tiny last segment does not set the peak when rates are measured") {
  const BitRates rates = measure(
      {segment(0, 500'000, {4, 1}), segment(1, 1'000'000, {4, 1}), segment(2, 100'000, {1, 25})});
  // The last two together last 4.04 s: that run counts, the 0.04 s alone does not.
  CHECK(rates.peak_bps == 2'178'218);
  CHECK(rates.average_bps == 1'592'040);
}

TEST_CASE("the peak is the average when everything is shorter than half a target duration") {
  const BitRates rates = measure({segment(0, 1000, {1, 25})});
  CHECK(rates.peak_bps == 200'000);
  CHECK(rates.average_bps == 200'000);
}

TEST_CASE("audio is counted into every variant when a master playlist is written") {
  const VariantInfo variant{"720p", 1280, 720, {30000, 1001}, "avc1.64001f", {2000, 1000}};
  const AudioInfo audio{"audio-0", "deu", "mp4a.40.2", 2, true, {200, 100}};
  const std::string text = master_playlist({variant}, {audio});
  CHECK(text.find("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"audio-0\",LANGUAGE=\"deu\","
                  "DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"audio-0/index.m3u8\"\n") !=
        std::string::npos);
  CHECK(text.find("#EXT-X-STREAM-INF:BANDWIDTH=2200,AVERAGE-BANDWIDTH=1100,"
                  "CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=29.970,"
                  "AUDIO=\"audio\",CLOSED-CAPTIONS=NONE\n720p/index.m3u8\n") != std::string::npos);
}

TEST_CASE("no audio group is named when there is no audio") {
  const VariantInfo variant{"360p", 640, 360, {25, 1}, "avc1.64001e", {2000, 1000}};
  const std::string text = master_playlist({variant}, {});
  CHECK(text.find("AUDIO") == std::string::npos);
  CHECK(text.find("CODECS=\"avc1.64001e\"") != std::string::npos);
}
