#include <catch2/catch.hpp>
#include <vector>

#include "jobs/command_line.h"

using namespace millrace;  // NOLINT(google-build-using-namespace)
using jobs::Command;
using jobs::UsageError;

namespace {
Command parse(const std::vector<const char*>& arguments) {
  return jobs::parse_command_line(arguments);
}
}  // namespace

TEST_CASE("options are taken over when they are given") {
  const auto command =
      parse({"transcode", "in.mp4", "--plan", "p.json", "--output", "out", "--chunk", "3",
             "--threads", "4", "--max-pixels", "1000", "--wall-time-s", "1.5", "--max-memory-bytes",
             "3000000000", "--max-output-bytes", "70"});
  const auto& options = std::get<TranscodeOptions>(command);
  CHECK(options.source.location == "in.mp4");
  CHECK(options.plan == "p.json");
  CHECK(options.output == "out");
  CHECK(options.chunk == 3);
  CHECK_FALSE(options.audio);
  CHECK(options.threads == 4);
  CHECK(options.source.limits.max_pixels == 1000);
  CHECK(options.source.limits.max_memory_bytes == 3'000'000'000);
  CHECK(options.source.limits.max_output_bytes == 70);
  CHECK(jobs::source_of(command)->limits.wall_time_s == Approx(1.5));
}

TEST_CASE("a sound track is gone on with when a segment is given") {
  const auto command = parse(
      {"transcode", "a", "--plan", "p", "--output", "o", "--audio", "1", "--from-segment", "70"});
  CHECK(std::get<TranscodeOptions>(command).audio == 1);
  CHECK(std::get<TranscodeOptions>(command).from_segment == 70);
}

TEST_CASE("limits have defaults when none is given") {
  const auto command = parse({"probe", "https://example.org/a?b=c", "--if-match", "\"tag\""});
  const Source& source = std::get<jobs::ProbeCommand>(command).source;
  CHECK(source.limits.max_pixels == 36'000'000);
  CHECK(source.limits.max_duration_s == 43'200);
  CHECK(source.if_match == "\"tag\"");
  CHECK_FALSE(source.allow_no_video);
  CHECK(jobs::source_of(parse({"probe", "a", "--allow-no-video"}))->allow_no_video);
}

TEST_CASE("times are split when a list is given") {
  const auto command =
      parse({"thumbnail", "a", "--times", "10,30.5,0", "--output", "o", "--skip-black"});
  const auto& options = std::get<ThumbnailOptions>(command);
  CHECK(options.times_s == std::vector<double>{10, 30.5, 0});
  CHECK(options.skip_black);
}

TEST_CASE("a storyboard has defaults when only it is asked for") {
  const auto command = parse({"thumbnail", "a", "--storyboard", "--columns", "5", "--output", "o"});
  const auto& options = std::get<ThumbnailOptions>(command);
  CHECK(options.times_s.empty());
  REQUIRE(options.storyboard);
  CHECK(options.storyboard->columns == 5);
  CHECK(options.storyboard->rows == 10);
  CHECK(options.storyboard->interval_s == 0);
  CHECK(std::get<ThumbnailOptions>(
            parse({"thumbnail", "a", "--storyboard", "--times", "1", "--output", "o"}))
            .times_s.size() == 1);
}

TEST_CASE("a target is taken over when a title is analysed") {
  const auto command = parse({"analyse", "a", "--plan", "p", "--target-vmaf", "90.5"});
  const auto& options = std::get<AnalyseOptions>(command);
  CHECK(options.plan == "p");
  CHECK(options.target_vmaf == Approx(90.5));
  CHECK(std::get<AnalyseOptions>(parse({"analyse", "a", "--plan", "p"})).target_vmaf == 93);
  CHECK(jobs::source_of(parse({"analyse", "a", "--plan", "p", "--wall-time-s", "2"}))
            ->limits.wall_time_s == 2);
}

TEST_CASE("a wrong command line is refused when parsed") {
  const std::vector<std::vector<const char*>> wrong = {
      {},
      {"dance"},
      {"probe"},
      {"probe", "a", "b"},
      {"probe", "a", "--unknown", "1"},
      {"probe", "a", "--max-pixels"},
      {"probe", "a", "--max-pixels", "many"},
      {"probe", "a", "--max-pixels", "-1"},
      {"probe", "a", "--max-pixels", "1.5"},
      {"probe", "a", "--chunk", "1"},
      {"thumbnail", "a", "--output", "o"},
      {"thumbnail", "a", "--output", "o", "--times", ""},
      {"thumbnail", "a", "--output", "o", "--times", "1,,2"},
      {"thumbnail", "a", "--output", "o", "--times", "-1"},
      {"thumbnail", "a", "--output", "o", "--times", "nan"},
      {"thumbnail", "a", "--output", "o", "--times", "1", "--columns", "5"},
      {"thumbnail", "a", "--output", "o", "--storyboard", "--interval-s", "0"},
      {"thumbnail", "a", "--output", "o", "--storyboard", "--columns", "100", "--tile-width",
       "200"},
      {"analyse", "a"},
      {"analyse", "a", "--plan", "p", "--target-vmaf", "101"},
      {"transcode", "a", "--output", "o"},
      {"transcode", "a", "--plan", "p", "--output", "o", "--chunk", "1", "--subtitles", "1"},
      {"transcode", "a", "--plan", "p", "--output", "o", "--audio", "1", "--subtitles", "1"},
      {"transcode", "a", "--plan", "p"},
      {"transcode", "a", "--plan", "p", "--output", "o", "--chunk", "1", "--audio", "0"},
      {"transcode", "a", "--plan", "p", "--output", "o", "--chunk", "1", "--from-segment", "1"},
  };
  for (const auto& arguments : wrong) {
    CAPTURE(arguments.size());
    CHECK_THROWS_AS(parse(arguments), UsageError);
  }
}

TEST_CASE("work ends with the limit's reason when its token says so") {
  StopToken memory;
  CHECK_NOTHROW(memory.check());
  memory.request_memory_out();
  CHECK_THROWS_WITH(memory.check(), Catch::Contains("memory"));
  StopToken time;
  time.request_time_out();
  CHECK_THROWS_WITH(time.check(), Catch::Contains("wall time"));
}

TEST_CASE("exit codes and names are the contract's when reasons are mapped") {
  CHECK(exit_code(Reason::EmptyFile) == 3);
  CHECK(exit_code(Reason::ExternalReference) == 4);
  CHECK(exit_code(Reason::SourceMissing) == 5);
  CHECK(exit_code(Reason::LimitExceeded) == 6);
  CHECK(exit_code(Reason::Internal) == 70);
  CHECK(std::string{reason_code(Reason::NoVideoStream)} == "NO_VIDEO_STREAM");
  CHECK(std::string{reason_code(Reason::OutputFailed)} == "OUTPUT_FAILED");
}

TEST_CASE("a conversion names its output for the case that it has to be ended") {
  const Command command =
      parse({"convert", "in.mp4", "--job", "job.json", "--output", "out.mp4", "--threads", "2"});
  const auto& options = std::get<ConvertOptions>(command);
  CHECK(options.job == "job.json");
  CHECK(options.threads == 2);
  CHECK(jobs::forced_end_of(command).output_file == "out.mp4");
  CHECK(std::string{jobs::forced_end_of(command).keys.reason} == "reason");
  CHECK(jobs::forced_end_of(jobs::HelpCommand{}).output_file.empty());
  CHECK_THROWS_AS(parse({"convert", "in.mp4", "--output", "out.mp4"}), UsageError);
}
