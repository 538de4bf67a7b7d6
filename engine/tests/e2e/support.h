/// Running the engine and the independent judges (ffmpeg, ffprobe), and reading what they say.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace e2e {

namespace fs = std::filesystem;
using nlohmann::json;

struct Finished {
  int exit_code = -1;
  std::string out;
  std::string log;

  /// The JSON lines.
  std::vector<json> events() const;
  /// The last JSON line; null when there is none.
  json last() const;
  /// All lines of one type.
  std::vector<json> of_type(const std::string& type) const;
};

/// Runs a program to its end.
Finished run(const std::vector<std::string>& command);
Finished engine(std::vector<std::string> arguments);
/// Starts the engine and sends `signal` after its first line of output.
Finished engine_signalled(std::vector<std::string> arguments, int signal);

/// A clip made by make_media.sh, or from MILLRACE_MEDIA.
std::string clip(const std::string& name);
/// An empty folder of its own for a test.
fs::path scratch(const std::string& name);
std::vector<uint8_t> read_file(const fs::path& path);
void write_file(const fs::path& path, const std::string& content);

/// A plan for a source as its probe describes it: `sizes` are short sides, highest first; segments
/// of one second.
json plan_for(const std::string& source, const std::vector<int>& short_sides = {120});
fs::path save_plan(const json& plan, const fs::path& folder);

/// Transcodes the whole source with its plan; requires success.
struct Ladder {
  fs::path folder;
  json plan;
  Finished finished;
};
Ladder transcode(const std::string& source, const fs::path& folder,
                 const std::vector<int>& short_sides = {120});
Ladder transcode_with(const std::string& source, const fs::path& folder, const json& plan,
                      const std::vector<std::string>& more = {});

/// init.mp4 and all segments of a track joined into one file.
fs::path join(const fs::path& folder, const std::string& track);
std::vector<fs::path> segments(const fs::path& folder, const std::string& track);

struct Packet {
  double pts_s = 0;
  double dts_s = 0;
  double duration_s = 0;
  bool key = false;
};
std::vector<Packet> packets(const fs::path& file);
json stream_facts(const fs::path& file);
/// One hash per decoded picture or block of sound.
std::vector<std::string> frame_hashes(const fs::path& file);
/// How many decoded pictures or blocks of sound differ; missing ones count.
size_t differing_frames(const fs::path& left, const fs::path& right);
/// Mean luma of every decoded picture.
std::vector<double> mean_luma(const fs::path& file);
/// Decoded sound, first channel / second channel, as floats at 48 kHz.
std::vector<float> samples(const fs::path& file, int channel);
/// PSNR in dB of two pictures or videos after scaling both to the first one's size.
double psnr(const std::string& left, const std::string& right);

}  // namespace e2e
