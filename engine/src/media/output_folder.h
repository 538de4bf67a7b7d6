/// Files that appear whole or not at all.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "av/ptr.h"
#include "media/plan.h"

namespace millrace::media {

/// A finished media segment.
struct SegmentInfo {
  std::string track;  ///< rendition or audio name
  int64_t index = 0;
  std::string path;  ///< below the output folder
  int64_t bytes = 0;
  AVRational duration{0, 1};  ///< seconds, exact; one denominator for the whole track
  /// From the file's beginning to the end of its first picture, an I-frame; 0 for sound.
  int64_t iframe_bytes = 0;
};

/// Everything one rendition or audio track wrote.
struct TrackRecord {
  std::string codecs;
  std::vector<SegmentInfo> segments;  ///< in the order of their index
  int64_t bytes = 0;                  ///< of the segments
};

/// By the track's name.
using TrackRecords = std::map<std::string, TrackRecord>;

/// A finished init segment.
struct InitInfo {
  std::string track;
  std::string path;  ///< empty where segments need none (MPEG-TS)
  int64_t bytes = 0;
  std::string codecs;
};

/// Told about every finished file; may be called from several threads.
struct TrackListener {
  std::function<void(const InitInfo&)> on_init;
  std::function<void(const SegmentInfo&)> on_segment;
};

class OutputFolder {
 public:
  /// `max_bytes`: of all files together; 0 = no bound.
  explicit OutputFolder(std::filesystem::path root, int64_t max_bytes = 0,
                        SegmentFormat format = SegmentFormat::Cmaf)
      : root_(std::move(root)), max_bytes_(max_bytes), format_(format) {}

  /// What the segments written to it are.
  SegmentFormat format() const { return format_; }

  /// Writes under a temporary name in the same folder and renames. Throws OUTPUT_FAILED, and
  /// LIMIT_EXCEEDED instead of writing a file that would be one too many. Several threads may.
  void write(const std::string& relative_path, std::span<const uint8_t> bytes) const;
  void write(const std::string& relative_path, const std::string& text) const;

 private:
  void account(size_t bytes) const;

  std::filesystem::path root_;
  int64_t max_bytes_;
  mutable std::atomic<int64_t> bytes_{0};
  SegmentFormat format_;
};

/// A whole subtitle track as one file, in its folder.
inline constexpr const char* kWholeSubtitles = "subtitles.vtt";

/// "720p/00003.m4s"
std::string segment_path(const std::string& track, int64_t index, const char* extension = ".m4s");

/// ".m4s" or ".ts"
const char* segment_extension(SegmentFormat format);

}  // namespace millrace::media
