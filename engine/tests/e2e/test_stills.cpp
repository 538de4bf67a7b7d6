#include <catch2/catch.hpp>
#include <cmath>
#include <sstream>

#include "e2e/range_server.h"
#include "e2e/support.h"

using e2e::clip;
using e2e::json;

namespace {

json storyboard(const std::string& source, const std::filesystem::path& folder,
                const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {"thumbnail", source, "--storyboard", "--output", folder};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const auto finished = e2e::engine(arguments);
  INFO(finished.out << finished.log);
  REQUIRE(finished.exit_code == 0);
  return finished.last();
}

/// The tile number `n` of the first sprite as a picture file.
std::filesystem::path cut_tile(const json& board, const std::filesystem::path& folder, int n) {
  const int width = board.at("tile_width");
  const int height = board.at("tile_height");
  const int columns = board.at("columns");
  const std::string crop = "crop=" + std::to_string(width) + ":" + std::to_string(height) + ":" +
                           std::to_string(n % columns * width) + ":" +
                           std::to_string(n / columns * height);
  const std::string sprite = board.at("sprites").at(0).at("path");
  auto tile = folder / "tile.png";
  e2e::run({"ffmpeg", "-v", "error", "-y", "-i", folder / sprite, "-vf", crop, tile});
  return tile;
}

/// Tiles against the stills of their times, and against that of another.
void check_tiles(const std::string& source, const json& board,
                 const std::filesystem::path& folder) {
  std::string times;
  for (const json& time_s : board.at("times_s")) {
    times += (times.empty() ? "" : ",") + std::to_string(time_s.get<double>());
  }
  const auto stills =
      e2e::engine({"thumbnail", source, "--times", times, "--width", board.at("tile_width").dump(),
                   "--height", board.at("tile_height").dump(), "--output", folder / "stills"});
  INFO(stills.out << stills.log);
  REQUIRE(stills.exit_code == 0);
  const json images = stills.last().at("images");
  for (const size_t n : {size_t{0}, images.size() / 2, images.size() - 1}) {
    CAPTURE(source, n);
    CHECK(images.at(n).at("time_s") == board.at("times_s").at(n));
    const json& other = images.at(n == 0 ? images.size() - 1 : 0);
    const auto tile = cut_tile(board, folder, static_cast<int>(n));
    const auto likeness = [&](const json& image) {
      return e2e::psnr(folder / "stills" / image.at("path").get<std::string>(), tile);
    };
    const double same = likeness(images.at(n));
    CHECK(same > 27);  // JPEG's coarser colours are all that differs
    CHECK(likeness(other) < same - 3);
  }
}

}  // namespace

TEST_CASE("tiles show the stills of their times when a storyboard is made") {
  const auto folder = e2e::scratch("storyboard");
  const json result = storyboard(clip("base.mp4"), folder, {"--columns", "4"});
  const json& board = result.at("storyboard");
  CHECK(board.at("interval_s") == 0.5);
  CHECK(board.at("sprites").size() == 1);
  CHECK(board.at("sprites").at(0).at("width") == 480);
  CHECK(board.at("sprites").at(0).at("height") == 180);
  CHECK(board.at("times_s") == json({0.0, 0.8, 1.6, 1.6, 2.4, 2.4}));  // key frames
  check_tiles(clip("base.mp4"), board, folder);
}

TEST_CASE("tiles are decoded up to their times when key frames are far") {
  for (const std::string name : {"one_key.mp4", "one_key.ts", "palette.gif"}) {
    CAPTURE(name);
    const auto folder = e2e::scratch("sparse-" + name);
    const json board = storyboard(clip(name), folder, {"--interval-s", "0.4"}).at("storyboard");
    const json& times = board.at("times_s");
    REQUIRE(times.size() >= 2);
    for (size_t n = 0; n < times.size(); ++n) {
      const double middle_s = 0.4 * static_cast<double>(n) + 0.2;
      CHECK(times.at(n).get<double>() == Approx(middle_s).margin(0.41));
    }
    CHECK(times.back().get<double>() > 0.4 * static_cast<double>(times.size() - 2));
    check_tiles(clip(name), board, folder);
  }
}

TEST_CASE("every container has a storyboard of the right shape when it is asked for") {
  for (const std::string name : {"base.ts", "base.mkv", "flash.avi", "interlaced.mpg", "hdr.mp4",
                                 "vfr.mkv", "size_change.ts", "odd.mkv", "one_frame.mp4"}) {
    CAPTURE(name);
    const auto folder = e2e::scratch("storyboard-" + name);
    const json board = storyboard(clip(name), folder).at("storyboard");
    CHECK(board.at("tile_width") == 120);
    CHECK(board.at("tile_height") == 90);
    const json facts = e2e::stream_facts(folder / "storyboard" / "00.jpg");
    CHECK(facts.at("codec_name") == "mjpeg");
    CHECK(facts.at("width").get<size_t>() == 120 * std::min<size_t>(10, board["times_s"].size()));
    CHECK(e2e::mean_luma(folder / "storyboard" / "00.jpg").at(0) > (name == "flash.avi" ? -1 : 30));
  }
}

TEST_CASE("tiles stand upright when the source is rotated") {
  const auto folder = e2e::scratch("storyboard-rotated");
  const json board = storyboard(clip("rotated.mp4"), folder).at("storyboard");
  CHECK(board.at("tile_width") == 68);
  CHECK(board.at("tile_height") == 90);
}

TEST_CASE("the track names every sprite when there are several") {
  const auto folder = e2e::scratch("storyboard-many");
  const json board = storyboard(clip("base.mp4"), folder,
                                {"--columns", "2", "--rows", "1", "--max-sprites", "2",
                                 "--interval-s", "0.1", "--tile-width", "32"})
                         .at("storyboard");
  CHECK(board.at("sprites").size() == 2);
  CHECK(board.at("interval_s") == 0.75);
  const auto bytes = e2e::read_file(folder / "storyboard.vtt");
  const std::string text(bytes.begin(), bytes.end());
  CHECK(text ==
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:00.750\nstoryboard/00.jpg#xywh=0,0,32,24\n\n"
        "00:00:00.750 --> 00:00:01.500\nstoryboard/00.jpg#xywh=32,0,32,24\n\n"
        "00:00:01.500 --> 00:00:02.250\nstoryboard/01.jpg#xywh=0,0,32,24\n\n"
        "00:00:02.250 --> 00:00:03.000\nstoryboard/01.jpg#xywh=32,0,32,24\n");
}

TEST_CASE("stills are the same in any order and on any number of threads") {
  const auto ascending = e2e::scratch("stills-ascending");
  const auto mixed = e2e::scratch("stills-mixed");
  const auto first = e2e::engine(
      {"thumbnail", clip("base.ts"), "--times", "0.1,0.5,0.52,1.7,2.8", "--output", ascending});
  const auto second = e2e::engine({"thumbnail", clip("base.ts"), "--times", "2.8,0.52,1.7,0.1,0.5",
                                   "--threads", "1", "--output", mixed});
  REQUIRE(first.exit_code == 0);
  REQUIRE(second.exit_code == 0);
  const std::vector<std::string> same = {"04", "02", "03", "00", "01"};
  for (size_t n = 0; n < same.size(); ++n) {
    const json image = second.last().at("images").at(n);
    CAPTURE(image.dump());
    const double wanted_s = image.at("requested_s");
    CHECK(image.at("time_s").get<double>() == Approx(wanted_s).margin(0.021));
    CHECK(e2e::read_file(mixed / image.at("path").get<std::string>()) ==
          e2e::read_file(ascending / (same[n] + ".png")));
  }
}

TEST_CASE("few bytes are read when stills are made of a long file") {
  e2e::RangeServer server(e2e::read_file(clip("long.mp4")));
  REQUIRE(std::filesystem::file_size(clip("long.mp4")) > 40'000'000);
  const auto folder = e2e::scratch("few-bytes");
  const json stills =
      e2e::engine({"thumbnail", server.url(), "--times", "100,300,500", "--output", folder}).last();
  CHECK(stills.at("images").size() == 3);
  CHECK(stills.at("bytes_read").get<int64_t>() <= server.body_bytes());  // one may be under way
  CHECK(server.body_bytes() < 3 << 20);                                  // however large the file
}

TEST_CASE("a storyboard cannot be made where nothing decodes") {
  const auto finished = e2e::engine({"thumbnail", clip("audio.m4a"), "--storyboard", "--output",
                                     e2e::scratch("storyboard-none")});
  CHECK(finished.exit_code == 4);
  CHECK(finished.last().at("code") == "NO_VIDEO_STREAM");
}
