#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "media/plan.h"
#include "media/x264_encoder.h"

using millrace::media::parse_plan;
using nlohmann::json;

namespace {
json valid() {
  return json::parse(R"({"version":1,"frame_rate":{"num":30000,"den":1001},"duration_s":10.01,
    "segment_frames":120,"video":{"stream":2,"preset":"medium","renditions":[
      {"name":"720p","width":1280,"height":720,"codec":"h264","profile":"high","level":"3.1",
       "crf":22.5,"maxrate_bps":2800000,"bufsize_bits":4200000}]},
    "audio":[{"name":"audio-0","stream":1,"language":"deu","channels":2,"sample_rate_hz":48000,
       "bitrate_bps":128000,"default":true}],
    "chunk_segments":8,"chunk_count":2,"thumbnails":{"anything":true}})");
}
}  // namespace

TEST_CASE("a plan is read when it is valid") {
  const auto plan = parse_plan(valid().dump());
  CHECK(plan.frame_rate.num == 30000);
  CHECK(plan.video_stream == 2);
  CHECK(plan.preset == "medium");
  CHECK(plan.renditions.at(0).level_idc == 31);
  CHECK(plan.renditions.at(0).rate.crf == Approx(22.5));
  CHECK(plan.audio.at(0).language == "deu");
  CHECK(plan.chunk_start(1) == 960);
  CHECK(plan.expected_frames() == 300);
}

TEST_CASE("chunks follow each other without a gap when the first is shorter") {
  json document = valid();
  document["head_segments"] = 1;
  document["chunk_segments"] = 3;
  const auto plan = parse_plan(document.dump());
  CHECK(plan.chunk_start(0) == 0);
  CHECK(plan.chunk_start(1) == 120);
  CHECK(plan.chunk_start(2) == 480);
  CHECK(plan.chunk_start(3) == 840);
  std::vector<int64_t> starts;
  for (int64_t frame = 0; frame < 900; ++frame) {
    if (plan.starts_chunk(frame)) starts.push_back(frame);
  }
  CHECK(starts == std::vector<int64_t>{0, 120, 480, 840});
}

TEST_CASE("a plan is refused when its first chunk is empty") {
  json document = valid();
  document["head_segments"] = 0;
  CHECK_THROWS_WITH(parse_plan(document.dump()), Catch::Contains("chunks must be positive"));
}

TEST_CASE("a language is told only when it has the form of a tag") {
  millrace::media::AudioPlan audio;
  for (const char* tag : {"de", "eng", "zh-Hans", "sr-Latn-RS", "es-419"}) {
    audio.language = tag;
    CHECK(millrace::media::language_tag(audio.language) == tag);
  }
  for (const char* other : {"", "und", "d", "de-", "de--CH", "de_CH", "de\"u", "i18n", "abcdefghi",
                            "de-abcdefghi", "de-a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q"}) {
    audio.language = other;
    CHECK(millrace::media::language_tag(audio.language).empty());
  }
}

TEST_CASE("the first marked track is the default when several are marked, or none") {
  millrace::media::Plan plan;
  plan.audio.resize(3);
  CHECK(plan.default_audio() == 0);
  plan.audio[1].is_default = plan.audio[2].is_default = true;
  CHECK(plan.default_audio() == 1);
}

TEST_CASE("a plan is refused when a field is wrong") {
  const auto with = [](const char* pointer, const json& value) {
    json document = valid();
    document[json::json_pointer(pointer)] = value;
    return document.dump();
  };
  CHECK_THROWS_AS(parse_plan("{"), std::invalid_argument);
  CHECK_THROWS_AS(parse_plan("{}"), std::invalid_argument);
  CHECK_THROWS_AS(parse_plan(with("/version", 2)), std::invalid_argument);
  CHECK_THROWS_AS(parse_plan(with("/frame_rate/num", 0)), std::invalid_argument);
  CHECK_THROWS_AS(parse_plan(with("/frame_rate/num", 999'999'999)), std::invalid_argument);
  CHECK_THROWS_AS(parse_plan(with("/segment_frames", 0)), std::invalid_argument);
  CHECK_THROWS_AS(parse_plan(with("/segment_frames", 1)), std::invalid_argument);
  CHECK_THROWS_AS(parse_plan(with("/video/renditions", json::array())), std::invalid_argument);
  CHECK_THROWS_AS(parse_plan(with("/video/renditions/0/name", "../up")), std::invalid_argument);
  CHECK_THROWS_AS(parse_plan(with("/video/renditions/0/name", "audio-0")), std::invalid_argument);
  CHECK_THROWS_AS(parse_plan(with("/video/renditions/0/width", 1281)), std::invalid_argument);
  CHECK_THROWS_AS(parse_plan(with("/video/renditions/0/codec", "vp9")), std::invalid_argument);
  CHECK_THROWS_AS(parse_plan(with("/video/renditions/0/level", "9.9")), std::invalid_argument);
  CHECK_THROWS_AS(parse_plan(with("/audio/0/channels", 99)), std::invalid_argument);
}

TEST_CASE("limits follow the codec when a rendition is read") {
  const auto read = [](const json& changes) {
    json document = valid();
    json& rendition = document["video"]["renditions"][0];
    rendition.erase("profile");
    rendition.merge_patch(changes);
    return parse_plan(document.dump()).renditions.at(0);
  };
  using millrace::media::VideoCodec;
  CHECK(read(json::object()).codec == VideoCodec::H264);
  CHECK(read(json::object()).profile == "high");
  CHECK(read({{"codec", "hevc"}, {"level", "6.2"}}).level_idc == 62);
  CHECK(read({{"codec", "hevc"}}).profile == "main");
  CHECK(read({{"codec", "av1"}, {"crf", 63}, {"level", "5.3"}}).codec == VideoCodec::Av1);
  CHECK(read({{"width", 2}}).width == 2);
  CHECK_THROWS_WITH(read({{"level", "6.0"}}), Catch::Contains("level 6.0"));
  CHECK_THROWS_WITH(read({{"codec", "hevc"}, {"level", "4.2"}}), Catch::Contains("level 4.2"));
  CHECK_THROWS_WITH(read({{"codec", "av1"}, {"level", "1.0"}}), Catch::Contains("level 1.0"));
  CHECK_THROWS_WITH(read({{"codec", "av1"}, {"crf", 0}}), Catch::Contains("crf"));
  CHECK_THROWS_WITH(read({{"codec", "hevc"}, {"crf", 52}}), Catch::Contains("crf"));
  json request = {{"codec", "hevc"}, {"rate_control", "abr"}, {"bitrate_bps", 1'000'000}};
  CHECK(read(request).rate.bitrate_bps == 1'000'000);
  request["codec"] = "av1";
  CHECK_THROWS_WITH(read(request), Catch::Contains("rate_control"));
  json transport = valid();
  transport["container"] = "mpegts";
  transport["video"]["renditions"][0].merge_patch({{"codec", "hevc"}, {"profile", "main"}});
  CHECK_THROWS_WITH(parse_plan(transport.dump()), Catch::Contains("h264 in mpegts"));
  CHECK_THROWS_WITH(read({{"codec", "hevc"}, {"width", 62}}), Catch::Contains("width"));
  CHECK_THROWS_WITH(read({{"codec", "av1"}, {"height", 62}}), Catch::Contains("height"));
  CHECK_THROWS_WITH(read({{"codec", "av1"}, {"profile", "high"}}), Catch::Contains("profile"));
}

TEST_CASE("reference frames fit the level when a size is given") {
  using millrace::media::max_reference_frames;
  CHECK(max_reference_frames(31, 1280, 720) == 5);
  CHECK(max_reference_frames(40, 1920, 1080) == 4);
  CHECK(max_reference_frames(10, 1920, 1080) == 1);
  CHECK(max_reference_frames(52, 16, 16) == 16);
}
