/// The plan: everything that must be equal between chunks, decided once before any encoding.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "av/ptr.h"

namespace millrace::media {

/// How many bits pictures get.
struct RateControl {
  enum class Mode {
    Crf,  ///< constant quality `crf` as long as it stays below `maxrate_bps`
    Abr,  ///< `bitrate_bps` on average, `maxrate_bps` at most
    Cbr,  ///< `bitrate_bps`, over every `bufsize_bits`
  };

  Mode mode = Mode::Crf;
  double crf = 23;
  int64_t bitrate_bps = 0;
  int64_t maxrate_bps = 0;
  int64_t bufsize_bits = 0;
};

/// What segments are.
enum class SegmentFormat { Cmaf, MpegTs };

enum class VideoCodec { H264, Hevc, Av1 };

/// Smallest side of a picture in HEVC (libx265: one coding tree unit) and AV1 (SVT-AV1), pixels.
constexpr int kLeastModernSide = 64;

struct RenditionPlan {
  std::string name;
  VideoCodec codec = VideoCodec::H264;
  int width = 0;
  int height = 0;
  std::string profile = "high";  ///< of H.264; HEVC and AV1 are always "main"
  int level_idc = 31;            ///< ten times the level
  RateControl rate;
};

struct AudioPlan {
  std::string name;
  int stream = 0;
  std::string language = "und";
  int channels = 2;
  int sample_rate_hz = 48'000;
  int64_t bitrate_bps = 128'000;
  bool is_default = false;
};

struct SubtitlePlan {
  std::string name;
  int stream = 0;
  std::string language = "und";
  bool is_default = false;
  bool is_forced = false;  ///< shown even to those who want no subtitles
};

/// The language as manifests take it; "" if unknown, or if what the plan says has not the form of
/// a tag (RFC 5646, and xs:language).
std::string language_tag(const std::string& language);

struct Plan {
  SegmentFormat format = SegmentFormat::Cmaf;
  AVRational frame_rate{25, 1};
  double duration_s = 0;
  int segment_frames = 100;
  int video_stream = 0;
  std::string preset = "veryfast";
  std::vector<RenditionPlan> renditions;
  std::vector<AudioPlan> audio;
  std::vector<SubtitlePlan> subtitles;
  int chunk_segments = 8;
  int head_segments = chunk_segments;  ///< of chunk 0; all others have `chunk_segments`
  int chunk_count = 1;

  /// First output frame of a chunk.
  int64_t chunk_start(int chunk) const;
  /// Whether an output frame is the first one of a chunk.
  bool starts_chunk(int64_t frame) const;
  /// Output frames expected for `duration_s`.
  int64_t expected_frames() const;
  /// Index of the audio entry that plays unless the viewer chooses: the first one marked so, else
  /// the first one.
  size_t default_audio() const;
  /// For a track of more than two channels: index of the entry that carries the same stream's sound
  /// down-mixed. Such a track is offered beside that one, not as another sound.
  std::optional<size_t> downmix_of(size_t audio_index) const;
  /// Index of the subtitles that are shown unless the viewer chooses: the first ones marked so, if
  /// any are.
  std::optional<size_t> default_subtitles() const;
};

/// Reads and validates the plan's JSON. Throws `std::invalid_argument` naming the faulty field.
Plan parse_plan(const std::string& text);
Plan load_plan(const std::filesystem::path& path);

}  // namespace millrace::media
