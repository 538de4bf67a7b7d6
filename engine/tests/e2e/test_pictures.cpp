#include <catch2/catch.hpp>

#include "e2e/support.h"

using e2e::clip;
using e2e::json;

namespace {

/// Transcodes and compares the pictures with ffmpeg's own idea of the source.
void check_like_source(const std::string& name, int short_side, double least_psnr_db,
                       const std::string& filter = "null") {
  CAPTURE(name);
  const auto folder = e2e::scratch("like-" + name);
  json plan = e2e::plan_for(clip(name), {short_side});
  plan["video"]["renditions"][0]["crf"] = 12;
  plan["video"]["renditions"][0]["maxrate_bps"] = 20'000'000;
  const auto ladder = e2e::transcode_with(clip(name), folder, plan);
  const auto reference = folder / "reference.mkv";
  const json& rendition = plan["video"]["renditions"][0];
  const std::string size = std::to_string(rendition["width"].get<int>()) + ":" +
                           std::to_string(rendition["height"].get<int>());
  const auto made = e2e::run({"ffmpeg", "-v", "error", "-y", "-i", clip(name), "-vf",
                              filter + ",scale=" + size + ":out_range=tv,format=yuv420p", "-c:v",
                              "ffv1", "-an", reference});
  INFO(made.log);
  REQUIRE(made.exit_code == 0);
  CHECK(e2e::psnr(e2e::join(folder, rendition["name"]), reference) > least_psnr_db);
}

}  // namespace

TEST_CASE("the picture stands upright when the source is rotated") {
  check_like_source("rotated.mp4", 240, 30);
}

TEST_CASE("pixels are square when the source's are not") {
  const auto ladder = e2e::transcode(clip("sar.mp4"), e2e::scratch("sar"), {240});
  const json facts = e2e::stream_facts(e2e::join(ladder.folder, "240p"));
  CHECK(facts.at("width") == 428);
  CHECK(facts.at("height") == 240);
  CHECK(facts.at("sample_aspect_ratio") == "1:1");
}

TEST_CASE("pictures look like the source when its format is unusual") {
  check_like_source("odd.mkv", 120, 28);
  check_like_source("full_chroma.mp4", 120, 28);
  check_like_source("ten_bit.mkv", 120, 28);
  check_like_source("full_range.avi", 120, 28);
  check_like_source("palette.gif", 120, 25);
}

TEST_CASE("the picture is fitted with bars when its size changes mid-stream") {
  const auto ladder = e2e::transcode(clip("size_change.ts"), e2e::scratch("size_change"), {240});
  CHECK(ladder.finished.last().at("frames").get<int>() >= 49);
  const json facts = e2e::stream_facts(e2e::join(ladder.folder, "240p"));
  CHECK(facts.at("width") == 320);
}

TEST_CASE("HDR becomes SDR when transcoded") {
  const auto ladder = e2e::transcode(clip("hdr.mp4"), e2e::scratch("hdr"));
  const json facts = e2e::stream_facts(e2e::join(ladder.folder, "120p"));
  CHECK(facts.at("color_transfer") == "bt709");
  CHECK(facts.at("color_primaries") == "bt709");
  CHECK(facts.at("pix_fmt") == "yuv420p");
  const auto luma = e2e::mean_luma(e2e::join(ladder.folder, "120p"));
  CHECK(luma.at(10) > 30);
  CHECK(luma.at(10) < 220);
}

TEST_CASE("interlaced pictures are made progressive when transcoded") {
  const auto ladder = e2e::transcode(clip("interlaced.mpg"), e2e::scratch("interlaced"));
  CHECK(ladder.finished.last().at("frames").get<int>() == Approx(25).margin(1));
  CHECK(e2e::stream_facts(e2e::join(ladder.folder, "120p")).at("field_order") == "progressive");
}

TEST_CASE("stills are fitted and near the asked time when made") {
  const auto folder = e2e::scratch("stills");
  const auto finished = e2e::engine({"thumbnail", clip("base.mp4"), "--times", "0.5,1.5,99",
                                     "--width", "320", "--height", "180", "--output", folder});
  INFO(finished.out << finished.log);
  REQUIRE(finished.exit_code == 0);
  const json images = finished.last().at("images");
  REQUIRE(images.size() == 3);
  CHECK(images.at(0).at("path") == "00.png");
  CHECK(images.at(0).at("time_s").get<double>() == Approx(0.5).margin(0.021));
  CHECK(images.at(1).at("time_s").get<double>() == Approx(1.5).margin(0.021));
  CHECK(images.at(2).at("time_s").get<double>() == Approx(2.96).margin(0.001));
  const json facts = e2e::stream_facts(folder / "01.png");
  CHECK(facts.at("width") == 240);
  CHECK(facts.at("height") == 180);
  const auto reference = folder / "reference.png";
  const double time_s = images.at(1).at("time_s");
  e2e::run({"ffmpeg", "-v", "error", "-y", "-ss", std::to_string(time_s - 0.001), "-i",
            clip("base.mp4"), "-frames:v", "1", "-vf", "scale=240:180", reference});
  CHECK(e2e::psnr(folder / "01.png", reference) > 28);
}

TEST_CASE("the poster moves on when the picture is black") {
  const auto folder = e2e::scratch("poster");
  const auto finished =
      e2e::engine({"thumbnail", clip("black_start.mp4"), "--times", "0.2", "--width", "320",
                   "--height", "240", "--skip-black", "--output", folder});
  REQUIRE(finished.exit_code == 0);
  CHECK(finished.last().at("images").at(0).at("time_s").get<double>() >= 2.0);
}

TEST_CASE("stills stand upright when the source is rotated") {
  const auto folder = e2e::scratch("rotated_still");
  const auto finished = e2e::engine({"thumbnail", clip("rotated.mp4"), "--times", "1", "--width",
                                     "320", "--height", "320", "--output", folder});
  REQUIRE(finished.exit_code == 0);
  CHECK(finished.last().at("images").at(0).at("width") == 240);
  CHECK(finished.last().at("images").at(0).at("height") == 320);
}
