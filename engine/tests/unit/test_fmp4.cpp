#include <catch2/catch.hpp>
#include <string>

#include "media/fmp4.h"
#include "media/video_segmenter.h"

using namespace millrace::media;  // NOLINT(google-build-using-namespace)

namespace {

uint64_t number(const std::vector<uint8_t>& bytes, size_t at, int count) {
  uint64_t value = 0;
  for (int n = 0; n < count; ++n) value = value << 8 | bytes.at(at + static_cast<size_t>(n));
  return value;
}

size_t find(const std::vector<uint8_t>& bytes, const std::string& type) {
  const std::string text(bytes.begin(), bytes.end());
  const size_t at = text.find(type);
  REQUIRE(at != std::string::npos);
  return at - 4;
}

VideoTrack track() {
  VideoTrack result;
  result.width = 1280;
  result.height = 720;
  result.timescale = 12288;
  result.config = {"avc1", "avcC", {1, 0x64, 0, 0x1f}, "avc1.64001f", {}};
  result.maxrate_bps = 2'800'000;
  result.bufsize_bits = 4'200'000;
  return result;
}

}  // namespace

TEST_CASE("top-level boxes fill the file exactly when an init segment is written") {
  const auto bytes = write_init(track());
  CHECK(number(bytes, 0, 4) == find(bytes, "moov"));
  CHECK(number(bytes, find(bytes, "moov"), 4) + find(bytes, "moov") == bytes.size());
  CHECK(number(bytes, find(bytes, "avc1"), 4) > number(bytes, find(bytes, "avcC"), 4));
  CHECK(number(bytes, find(bytes, "avcC") + 8, 4) == 0x0164001f);
}

TEST_CASE("an edit list is written only when decoding runs ahead of showing") {
  VideoTrack delayed = track();
  delayed.start_offset = 1024;
  const auto bytes = write_init(delayed);
  CHECK(number(bytes, find(bytes, "elst") + 20, 4) == 1024);
  const auto plain = write_init(track());
  CHECK(std::string(plain.begin(), plain.end()).find("elst") == std::string::npos);
}

TEST_CASE("decode time, offsets and data are where they should be when a segment is written") {
  const std::vector<Sample> samples = {{{1, 2, 3}, 512, 1024, true, false},
                                       {{4, 5}, 512, -512, false, true}};
  const auto bytes = write_segment(7, 5'000'000'000, samples);
  CHECK(number(bytes, find(bytes, "mfhd") + 12, 4) == 7);
  CHECK(number(bytes, find(bytes, "tfdt") + 12, 8) == 5'000'000'000);
  const size_t run = find(bytes, "trun");
  CHECK(bytes.at(run + 8) == 1);  // version: signed offsets
  CHECK(number(bytes, run + 12, 4) == 2);
  const size_t data = find(bytes, "moof") + number(bytes, run + 16, 4);
  CHECK(data == find(bytes, "mdat") + 8);
  CHECK(bytes.at(data) == 1);
  CHECK(static_cast<int32_t>(number(bytes, run + 20 + 16 + 12, 4)) == -512);
  CHECK(data + 5 == bytes.size());
}

TEST_CASE("the timescale divides a frame exactly when any rate is given") {
  for (const AVRational rate : {AVRational{24, 1}, AVRational{30000, 1001}, AVRational{25, 2},
                                AVRational{1, 1}, AVRational{60000, 1001}}) {
    const uint32_t timescale = VideoSegmenter::timescale_for(rate);
    CHECK(timescale >= 10'000);
    CHECK(timescale % static_cast<uint32_t>(rate.num) == 0);
  }
}

TEST_CASE("the language is packed when it is an ISO 639-2 code") {
  AudioTrack audio;
  audio.timescale = 48000;
  audio.channels = 2;
  audio.language = "eng";
  audio.config = {0x11, 0x90};
  const auto bytes = write_init(audio);
  CHECK(number(bytes, find(bytes, "mdhd") + 28, 2) == ((5u << 10) | (14u << 5) | 7u));
  CHECK(codecs_of(audio) == "mp4a.40.2");
}
