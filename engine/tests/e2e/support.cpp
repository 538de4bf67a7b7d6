#include "e2e/support.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX wants it declared

namespace e2e {

namespace {

fs::path unique_file(const std::string& stem) {
  static int counter = 0;
  fs::create_directories(SCRATCH_DIR);
  return fs::path(SCRATCH_DIR) /
         (stem + "-" + std::to_string(::getpid()) + "-" + std::to_string(++counter));
}

struct Child {
  pid_t pid = -1;
  fs::path out;
  fs::path log;
};

Child start(const std::vector<std::string>& command) {
  Child child;
  child.out = unique_file("out");
  child.log = unique_file("log");
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, child.out.c_str(), kFlags, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, child.log.c_str(), kFlags, 0600);
  const int rc =
      posix_spawnp(&child.pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  REQUIRE(rc == 0);
  return child;
}

std::string take_text(const fs::path& path) {
  const auto bytes = read_file(path);
  fs::remove(path);
  return {bytes.begin(), bytes.end()};
}

Finished wait_for(const Child& child) {
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  Finished finished;
  finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  finished.out = take_text(child.out);
  finished.log = take_text(child.log);
  return finished;
}

std::string checked_output(const std::vector<std::string>& command) {
  const Finished finished = run(command);
  INFO(command.back() << ": " << finished.log);
  REQUIRE(finished.exit_code == 0);
  return finished.out;
}

}  // namespace

std::vector<json> Finished::events() const {
  std::vector<json> list;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) list.push_back(json::parse(line));
  }
  return list;
}

json Finished::last() const {
  const auto list = events();
  return list.empty() ? json() : list.back();
}

std::vector<json> Finished::of_type(const std::string& type) const {
  std::vector<json> list;
  for (const json& event : events()) {
    if (event.at("type") == type) list.push_back(event);
  }
  return list;
}

Finished run(const std::vector<std::string>& command) {
  return wait_for(start(command));
}

Finished engine(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), ENGINE_PATH);
  return run(arguments);
}

Finished engine_signalled(std::vector<std::string> arguments, int signal) {
  arguments.insert(arguments.begin(), ENGINE_PATH);
  const Child child = start(arguments);
  // The first line of output is the event to wait for; the file is looked at until it is there.
  while (fs::file_size(child.out) == 0 && ::waitpid(child.pid, nullptr, WNOHANG) == 0)
    ::usleep(2000);
  ::kill(child.pid, signal);
  return wait_for(child);
}

std::string clip(const std::string& name) {
  const fs::path made = fs::path(MEDIA_DIR) / name;
  if (fs::exists(made)) return made;
  const char* folder = std::getenv("MILLRACE_MEDIA");
  return folder == nullptr ? std::string{} : (fs::path(folder) / name).string();
}

fs::path scratch(const std::string& name) {
  const fs::path folder = fs::path(SCRATCH_DIR) / name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

std::vector<uint8_t> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  std::vector<uint8_t> bytes(fs::file_size(path));
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

void write_file(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

json plan_for(const std::string& source, const std::vector<int>& short_sides) {
  const Finished probed = engine({"probe", source});
  INFO(probed.out << probed.log);
  REQUIRE(probed.exit_code == 0);
  const json facts = probed.last();
  const json& video = facts.at("video").at(0);
  const json& rate = video.at("frame_rate");
  const double width = video.at("display_width");
  const double height = video.at("display_height");
  json renditions = json::array();
  for (const int side : short_sides) {
    const double scale = side / std::min(width, height);
    const auto even = [scale](double value) { return 2 * std::lround(value * scale / 2); };
    renditions.push_back({{"name", std::to_string(side) + "p"},
                          {"width", even(width)},
                          {"height", even(height)},
                          {"codec", "h264"},
                          {"profile", "high"},
                          {"level", "3.0"},
                          {"crf", 23},
                          {"maxrate_bps", 800'000},
                          {"bufsize_bits", 1'200'000}});
  }
  json audio = json::array();
  for (const json& track : facts.at("audio")) {
    audio.push_back({{"name", "audio-" + std::to_string(audio.size())},
                     {"stream", track.at("stream")},
                     {"language", track.at("language")},
                     {"channels", 2},
                     {"sample_rate_hz", 48'000},
                     {"bitrate_bps", 128'000},
                     {"default", audio.empty()}});
  }
  const double rate_hz = rate.at("num").get<double>() / rate.at("den").get<double>();
  return {
      {"version", 1},
      {"frame_rate", rate},
      {"duration_s", video.at("duration_s")},
      {"segment_frames", std::max(1L, std::lround(rate_hz))},
      {"video",
       {{"stream", video.at("stream")}, {"preset", "veryfast"}, {"renditions", renditions}}},
      {"audio", audio},
      {"chunk_segments", 1},
      {"chunk_count", std::max(1L, std::lround(std::ceil(video.at("duration_s").get<double>())))}};
}

fs::path save_plan(const json& plan, const fs::path& folder) {
  fs::create_directories(folder);
  const fs::path path = folder / "plan.json";
  write_file(path, plan.dump());
  return path;
}

Ladder transcode_with(const std::string& source, const fs::path& folder, const json& plan,
                      const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"transcode", source, "--plan", save_plan(plan, folder),
                                        "--output",  folder};
  arguments.insert(arguments.end(), more.begin(), more.end());
  Ladder ladder{folder, plan, engine(arguments)};
  INFO(ladder.finished.out << ladder.finished.log);
  REQUIRE(ladder.finished.exit_code == 0);
  return ladder;
}

Ladder transcode(const std::string& source, const fs::path& folder,
                 const std::vector<int>& short_sides) {
  return transcode_with(source, folder, plan_for(source, short_sides));
}

std::vector<fs::path> segments(const fs::path& folder, const std::string& track) {
  std::vector<fs::path> list;
  for (const auto& entry : fs::directory_iterator(folder / track)) {
    if (entry.path().extension() == ".m4s") list.push_back(entry.path());
  }
  std::sort(list.begin(), list.end());
  return list;
}

fs::path join(const fs::path& folder, const std::string& track) {
  const fs::path joined = folder / (track + "-joined.mp4");
  std::ofstream out(joined, std::ios::binary);
  const auto append = [&out](const fs::path& part) {
    const auto bytes = read_file(part);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  };
  append(folder / track / "init.mp4");
  for (const fs::path& segment : segments(folder, track)) append(segment);
  return joined;
}

std::vector<Packet> packets(const fs::path& file) {
  const json document = json::parse(
      checked_output({"ffprobe", "-v", "error", "-show_packets", "-of", "json", file.string()}));
  std::vector<Packet> list;
  for (const json& packet : document.at("packets")) {
    const auto seconds = [&packet](const char* key) {
      return std::stod(packet.value(key, "0"));  // the last one may lack a duration
    };
    list.push_back({seconds("pts_time"), seconds("dts_time"), seconds("duration_time"),
                    packet.at("flags").get<std::string>().front() == 'K'});
  }
  return list;
}

json stream_facts(const fs::path& file) {
  return json::parse(checked_output({"ffprobe", "-v", "error", "-count_frames", "-show_streams",
                                     "-of", "json", file.string()}))
      .at("streams")
      .at(0);
}

std::vector<std::string> frame_hashes(const fs::path& file) {
  std::istringstream lines(checked_output({"ffmpeg", "-v", "error", "-i", file.string(), "-vsync",
                                           "passthrough", "-f", "framemd5", "-"}));
  std::vector<std::string> hashes;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.front() != '#') hashes.push_back(line.substr(line.rfind(',') + 1));
  }
  return hashes;
}

size_t differing_frames(const fs::path& left, const fs::path& right) {
  const auto first = frame_hashes(left);
  const auto second = frame_hashes(right);
  REQUIRE_FALSE(first.empty());
  const size_t common = std::min(first.size(), second.size());
  size_t different = std::max(first.size(), second.size()) - common;
  for (size_t n = 0; n < common; ++n) different += first[n] == second[n] ? 0 : 1;
  return different;
}

std::vector<double> mean_luma(const fs::path& file) {
  const std::string raw =
      checked_output({"ffmpeg", "-v", "error", "-i", file.string(), "-vsync", "passthrough", "-vf",
                      "scale=16:16:flags=area,format=gray", "-f", "rawvideo", "-"});
  std::vector<double> list;
  for (size_t at = 0; at + 256 <= raw.size(); at += 256) {
    double total = 0;
    for (size_t n = 0; n < 256; ++n) total += static_cast<uint8_t>(raw[at + n]);
    list.push_back(total / 256);
  }
  return list;
}

std::vector<float> samples(const fs::path& file, int channel) {
  const std::string raw = checked_output({"ffmpeg", "-v", "error", "-i", file.string(), "-af",
                                          "pan=mono|c0=c" + std::to_string(channel), "-ar", "48000",
                                          "-f", "f32le", "-"});
  std::vector<float> list(raw.size() / sizeof(float));
  std::memcpy(list.data(), raw.data(), list.size() * sizeof(float));
  return list;
}

double psnr(const std::string& left, const std::string& right) {
  const Finished finished = run({"ffmpeg", "-i", left, "-i", right, "-lavfi",
                                 "[1][0]scale2ref[b][a];[a]format=yuv444p[c];[b]format=yuv444p[d];"
                                 "[c][d]psnr",
                                 "-f", "null", "-"});
  const auto at = finished.log.find("average:");
  INFO(finished.log);
  REQUIRE(at != std::string::npos);
  const std::string value = finished.log.substr(at + 8, 8);
  return value.rfind("inf", 0) == 0 ? 100 : std::stod(value);
}

}  // namespace e2e
