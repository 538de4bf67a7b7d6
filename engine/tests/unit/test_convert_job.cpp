#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "media/convert_job.h"
#include "media/picture_shaper.h"

using namespace millrace::media;  // NOLINT(google-build-using-namespace)
using nlohmann::json;

namespace {

json minimal() {
  return {{"schema_version", 1},
          {"container", "mp4"},
          {"video", {{"stream", 0}, {"codec", "h264"}}},
          {"audio", {{{"stream", 1}, {"codec", "aac"}}}}};
}

std::string complaint(const json& document) {
  try {
    parse_convert_job(document.dump());
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a job has the documented defaults when only streams and codecs are given") {
  const ConvertJob job = parse_convert_job(minimal().dump());
  CHECK(job.video->codec == AV_CODEC_ID_H264);
  CHECK(job.video->crf == 23);
  CHECK(job.video->bitrate_bps == 0);
  CHECK_FALSE(job.video->fps);
  CHECK(job.audio.at(0).channels == 0);
  CHECK_FALSE(job.end_s);
  CHECK(job.metadata);
  CHECK_FALSE(job.only_analyses());
}

TEST_CASE("a copy has no codec when a job asks for it") {
  json document = minimal();
  document["video"]["codec"] = "copy";
  CHECK(parse_convert_job(document.dump()).video->copied());
}

TEST_CASE("the faulty key is named when a job is wrong") {
  const auto with = [](const char* pointer, const json& value) {
    json document = minimal();
    document[json::json_pointer(pointer)] = value;
    return complaint(document);
  };
  CHECK(with("/vidoe", 1) == "job: unknown key vidoe");
  CHECK(with("/video/crf", 1) == "job: unknown key video.crf");
  CHECK(with("/audio/0/rate", 1) == "job: unknown key audio[0].rate");
  CHECK(with("/video/rate", {{"mode", "crf"}, {"crf", 52}}).find("video.rate.crf") !=
        std::string::npos);
  CHECK(with("/video/rate", {{"mode", "abr"}}) == "job: video.rate.bitrate_bps is missing");
  CHECK(with("/video/fps", {25, 0}).find("video.fps") != std::string::npos);
  CHECK(with("/video/pixel_depth", 9) == "job: video.pixel_depth must be 8 or 10");
  CHECK(with("/video/pass", {{"number", 1}, {"stats", "a:b"}}).find("video.pass.stats") !=
        std::string::npos);
  CHECK(with("/start_s", "soon").find("start_s") != std::string::npos);
  CHECK(with("/container", "avi").find("one of mp4, mkv, webm") != std::string::npos);
  CHECK(with("/container", "webm") == "job: h264 cannot be put into webm");
  CHECK(complaint(json::array()) == "job: it must be an object");
}

TEST_CASE("a quality has the codec's own scale when it is given") {
  json document = minimal();
  document["video"]["codec"] = "av1";
  document["video"]["rate"] = {{"mode", "crf"}, {"crf", 60}};
  CHECK(parse_convert_job(document.dump()).video->crf == 60);
}

TEST_CASE("the output's shape leaves the picture undistorted when sizes are given") {
  VideoFacts facts;
  facts.sample_aspect = {64, 45};  // 720 x 576 shown as 1024 x 576
  ConvertVideo video;
  const auto shape = [&] { return picture_shape(video, facts, 720, 576); };
  CHECK(shape().width == 720);
  CHECK(av_cmp_q(shape().sample_aspect, {64, 45}) == 0);
  video.height = 288;
  CHECK(shape().width == 512);
  CHECK(av_cmp_q(shape().sample_aspect, {1, 1}) == 0);
  video.width = 256;
  CHECK(shape().width == 256);
  CHECK(av_cmp_q(shape().sample_aspect, {2, 1}) == 0);
  facts.orientation.clockwise_degrees = 90;
  video = {};
  CHECK(shape().width == 576);
  CHECK(av_cmp_q(shape().sample_aspect, {45, 64}) == 0);
}

TEST_CASE("a crop has even edges and must lie inside when it is asked for") {
  ConvertVideo video;
  video.crop = CropBox{11, 3, 101, 51};
  const PictureShape shape = picture_shape(video, {}, 160, 90);
  CHECK(shape.crop->x == 10);
  CHECK(shape.crop->y == 2);
  CHECK(shape.width == 100);
  CHECK(shape.height == 50);
  video.crop = CropBox{100, 0, 61, 50};
  CHECK_THROWS_AS(picture_shape(video, {}, 160, 90), std::invalid_argument);
}
