#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>

#include "e2e/support.h"

using e2e::clip;
using e2e::json;

TEST_CASE("the exit code is 2 when the command line is wrong") {
  CHECK(e2e::engine({"dance"}).exit_code == 2);
  CHECK(e2e::engine({"transcode", clip("base.mp4"), "--output", "/tmp"}).exit_code == 2);
  const auto folder = e2e::scratch("usage");
  const auto plan = e2e::save_plan(e2e::plan_for(clip("silent.mp4")), folder);
  CHECK(e2e::engine(
            {"transcode", clip("silent.mp4"), "--plan", plan, "--output", folder, "--chunk", "99"})
            .exit_code == 2);
  CHECK(e2e::engine({"--help"}).exit_code == 0);
  CHECK(e2e::engine({"--version"}).exit_code == 0);
}

TEST_CASE("the engine stops at once and leaves nothing partial when it gets SIGTERM") {
  const auto folder = e2e::scratch("sigterm");
  json plan = e2e::plan_for(clip("base.mp4"), {1080});
  plan["video"]["preset"] = "placebo";
  const auto path = e2e::save_plan(plan, folder);
  const auto before = std::chrono::steady_clock::now();
  const auto finished = e2e::engine_signalled(
      {"transcode", clip("base.mp4"), "--plan", path, "--output", folder / "out"}, SIGTERM);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
  CHECK(finished.exit_code == 128 + SIGTERM);
  CHECK(took.count() < 20);
  CHECK_FALSE(e2e::fs::exists(folder / "out/master.m3u8"));
  for (const auto& entry : e2e::fs::recursive_directory_iterator(folder / "out")) {
    CHECK(entry.path().extension() != ".part");
  }
  // Whatever was announced is there, whole.
  for (const json& event : finished.of_type("segment")) {
    CHECK(e2e::fs::file_size(folder / "out" / event.at("path")) == event.at("bytes"));
  }
}

TEST_CASE("the output is refused when it cannot be written") {
  const auto folder = e2e::scratch("no_output");
  e2e::write_file(folder / "file", "in the way");
  const auto plan = e2e::save_plan(e2e::plan_for(clip("silent.mp4")), folder);
  const auto finished =
      e2e::engine({"transcode", clip("silent.mp4"), "--plan", plan, "--output", folder / "file"});
  CHECK(finished.exit_code == 5);
  CHECK(finished.last().at("code") == "OUTPUT_FAILED");
}

TEST_CASE("progress is told when work takes longer than half a second") {
  const auto folder = e2e::scratch("progress");
  json plan = e2e::plan_for(clip("base.mp4"), {720});
  plan["video"]["preset"] = "slower";
  const auto ladder = e2e::transcode_with(clip("base.mp4"), folder, plan);
  const auto lines = ladder.finished.of_type("progress");
  REQUIRE_FALSE(lines.empty());
  double percent = 0;
  for (const json& line : lines) {
    CHECK(line.at("percent").get<double>() >= percent);
    percent = line.at("percent");
    CHECK(line.at("bytes_read").get<int64_t>() > 0);
    CHECK(line.contains("eta_s"));
  }
  CHECK(percent <= 100);
}

TEST_CASE("one thread gives the same number of frames when threads are limited") {
  const json plan = e2e::plan_for(clip("silent.mp4"), {240, 120});
  const auto one =
      e2e::transcode_with(clip("silent.mp4"), e2e::scratch("threads"), plan, {"--threads", "1"});
  CHECK(one.finished.last().at("frames") == 75);
}
