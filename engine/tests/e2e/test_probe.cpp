#include <catch2/catch.hpp>

#include "e2e/support.h"

using e2e::clip;
using e2e::json;

namespace {
json probe(const std::string& name) {
  const auto finished = e2e::engine({"probe", clip(name)});
  INFO(finished.out << finished.log);
  REQUIRE(finished.exit_code == 0);
  return finished.last();
}
}  // namespace

TEST_CASE("an MP4's facts are told when probed") {
  const json facts = probe("base.mp4");
  const json& format = facts.at("format");
  CHECK(format.at("container") == "mp4");
  CHECK(format.at("duration_s").get<double>() == Approx(3.0).margin(0.05));
  CHECK(format.at("seekable_exactly") == true);
  CHECK(format.at("bytes") == std::filesystem::file_size(clip("base.mp4")));
  const json& video = facts.at("video").at(0);
  CHECK(video.at("codec") == "h264");
  CHECK(video.at("width") == 320);
  CHECK(video.at("frame_rate") == json({{"num", 25}, {"den", 1}}));
  CHECK(video.at("frames") == 75);
  CHECK(video.at("duration_s").get<double>() == Approx(3.0));
  CHECK(video.at("hdr").is_null());
  CHECK(video.at("rotation") == 0);
  const json& audio = facts.at("audio").at(0);
  CHECK(audio.at("codec") == "aac");
  CHECK(audio.at("language") == "eng");
  CHECK(audio.at("channel_layout") == "mono");
  CHECK(facts.at("warnings").empty());
}

TEST_CASE("containers are named when probed") {
  CHECK(probe("base.ts").at("format").at("container") == "mpegts");
  CHECK(probe("base.mkv").at("format").at("container") == "matroska");
  CHECK(probe("flash.avi").at("format").at("container") == "avi");
  CHECK(probe("interlaced.mpg").at("format").at("container") == "mpegps");
  CHECK(probe("palette.gif").at("format").at("container") == "gif");
}

TEST_CASE("exact seeking is claimed only when there is an index") {
  CHECK(probe("base.mkv").at("format").at("seekable_exactly") == true);
  CHECK(probe("base.ts").at("format").at("seekable_exactly") == false);
  CHECK(probe("flash.avi").at("format").at("seekable_exactly") == false);
}

TEST_CASE("display facts are told when the picture is turned, stretched or deep") {
  const json rotated = probe("rotated.mp4").at("video").at(0);
  CHECK(rotated.at("rotation").get<int>() % 180 == 90);
  CHECK(rotated.at("display_width") == 240);
  CHECK(rotated.at("display_height") == 320);
  const json stretched = probe("sar.mp4").at("video").at(0);
  CHECK(stretched.at("sar") == json({{"num", 4}, {"den", 3}}));
  CHECK(stretched.at("display_width") == 427);
  const json deep = probe("ten_bit.mkv").at("video").at(0);
  CHECK(deep.at("bit_depth") == 10);
  const json hdr = probe("hdr.mp4").at("video").at(0);
  CHECK(hdr.at("hdr") == "pq");
  CHECK(hdr.at("color").at("primaries") == "bt2020");
  CHECK(probe("interlaced.mpg").at("video").at(0).at("interlaced") == true);
}

TEST_CASE("no audio is told when there is none") {
  CHECK(probe("silent.mp4").at("audio").empty());
}

TEST_CASE("the given clips are probed when their folder is set") {
  if (clip("sintel_trailer-720p.mp4").empty()) return;
  const json video = probe("sintel_trailer-720p.mp4").at("video").at(0);
  CHECK(video.at("frames") == 1253);
  CHECK(video.at("frame_rate") == json({{"num", 24}, {"den", 1}}));
  CHECK(probe("cityCC0.mpg").at("format").at("start_s").get<double>() == Approx(0.54));
  CHECK(probe("bigbuckbunny.mp4").at("audio").at(0).at("channels") == 6);
}
