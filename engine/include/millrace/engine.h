/// Millrace's media engine: probe, stills and HLS/CMAF ladders from one untrusted source.
///
/// Every entry point reports through an `EventSink` (one JSON object a call, see docs/ENGINE.md)
/// and throws `EngineError` for everything a caller may want to tell apart. Nothing but
/// `Source::location` is ever opened for reading, whatever the container says.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace millrace {

/// Why work ended. The names printed (`reason_code`) are stable and shared with the pipeline.
enum class Reason {
  EmptyFile,
  NotAVideo,
  Corrupt,
  UnsupportedContainer,
  UnsupportedCodec,
  NoVideoStream,
  ExternalReference,
  LimitExceeded,
  SourceUnreadable,
  SourceChanged,
  SourceMissing,
  OutputFailed,
  Internal,
};

/// The stable upper-case name, e.g. "EMPTY_FILE".
const char* reason_code(Reason reason);

/// The process exit code for a reason: 3 unreadable or corrupt, 4 unsupported, 5 I/O, 6 limit, 70.
int exit_code(Reason reason);

/// A failure with its reason, one sentence for a person and, where known, the source position.
class EngineError : public std::runtime_error {
 public:
  EngineError(Reason reason, const std::string& message,
              std::optional<double> position_s = std::nullopt)
      : std::runtime_error(message), reason_(reason), position_s_(position_s) {}

  Reason reason() const { return reason_; }
  std::optional<double> position_s() const { return position_s_; }

 private:
  Reason reason_;
  std::optional<double> position_s_;
};

/// Thrown where work noticed that it was asked to stop (signal); carries no reason code.
class Stopped : public std::runtime_error {
 public:
  Stopped() : std::runtime_error("stopped on request") {}
};

/// Lets another thread end the work. `check()` is called at every frame, packet and block.
class StopToken {
 public:
  /// With a parent, it also stops when that one does.
  explicit StopToken(const StopToken* parent = nullptr) : parent_(parent) {}

  void request_stop() { state_.store(kStopped); }
  void request_time_out() { state_.store(kTimedOut); }
  void request_memory_out() { state_.store(kMemoryOut); }
  bool requested() const {
    return state_.load(std::memory_order_relaxed) != kRunning ||
           (parent_ != nullptr && parent_->requested());
  }
  /// Throws `Stopped` after `request_stop`, `EngineError{LimitExceeded}` after the other two.
  void check() const;

 private:
  static constexpr int kRunning = 0;
  static constexpr int kStopped = 1;
  static constexpr int kTimedOut = 2;
  static constexpr int kMemoryOut = 3;
  const StopToken* parent_;
  std::atomic<int> state_{kRunning};
};

/// Whether the process gives up what it does not need before it reads the source (docs/ENGINE.md).
enum class Confinement { Off, Try, Require };

/// Bounds that hold for every source. Zero or a negative number means "no bound".
struct Limits {
  int64_t max_pixels = 36'000'000;  ///< of one coded frame
  double max_duration_s = 43'200;   ///< of the container and of what is decoded
  int max_streams = 128;
  int64_t max_bytes_read = 0;    ///< of the source, over the whole run
  int64_t max_output_bytes = 0;  ///< of all files written, checked before each is
  int64_t max_memory_bytes = 0;  ///< resident; enforced by the process (main), like the next
  double wall_time_s = 0;        ///< see docs/ENGINE.md
  Confinement confinement = Confinement::Try;  ///< kept by the process as well
};

/// What is read: a path or an http(s) URL.
struct Source {
  std::string location;
  std::string if_match;  ///< entity tag the URL must still have; empty = the first answer's tag
  Limits limits;
  bool allow_no_video = false;  ///< sound is enough, also in MP3, WAV and FLAC files
};

/// Small pictures over the whole length for a player's seek bar, tiled into few JPEG files.
struct StoryboardOptions {
  double interval_s = 0;  ///< 0 = by duration and key frames; grows where the sprites are too few
  int tile_width = 160;   ///< pixels; a picture is fitted inside tile_width × tile_height
  int tile_height = 90;
  int columns = 10;
  int rows = 10;
  int max_sprites = 4;  ///< files of columns × rows pictures
};

struct ThumbnailOptions {
  Source source;
  std::vector<double> times_s;
  int width = 320;  ///< pixels; the picture is fitted inside width × height
  int height = 180;
  std::filesystem::path output;
  bool skip_black = false;  ///< move on from black pictures (for the poster)
  std::optional<StoryboardOptions> storyboard;
  int threads = 0;  ///< 0 = one per processor
};

struct TranscodeOptions {
  Source source;
  std::filesystem::path plan;
  std::filesystem::path output;
  std::optional<int> chunk;      ///< only this chunk's segments of all renditions
  std::optional<int> audio;      ///< only this entry of the plan's audio list
  std::optional<int> subtitles;  ///< only this entry of the plan's subtitles list
  int from_segment = 0;          ///< of the entry `audio`: those before it are there already
  int threads = 0;               ///< 0 = one per processor
};

struct ConvertOptions {
  Source source;
  std::filesystem::path job;     ///< what to make, see docs/ENGINE.md
  std::filesystem::path output;  ///< one file; removed again where the work fails
  int threads = 0;               ///< 0 = one per processor
};

struct AnalyseOptions {
  Source source;
  std::filesystem::path plan;
  double target_vmaf = 93;  ///< of the best rendition, at the size of the plan's largest
  int threads = 0;          ///< 0 = one per processor
};

/// Receives one JSON object as text (no newline). May be called from several threads, never at
/// once.
using EventSink = std::function<void(const std::string& json)>;

/// Reports the source's facts as one `result` event.
void probe(const Source& source, const EventSink& events, const StopToken& stop);

/// Writes `00.png`, `01.png`, … and, if asked for, `storyboard.vtt` with `storyboard/00.jpg`, …;
/// reports them in one `result` event.
void thumbnail(const ThumbnailOptions& options, const EventSink& events, const StopToken& stop);

/// Tries the plan's renditions on short samples and reports, in one `result` event, the quality
/// setting each one needs and which are useless for this title.
void analyse(const AnalyseOptions& options, const EventSink& events, const StopToken& stop);

/// Writes init files and segments (and, for a whole file, playlists); reports each by an event.
void transcode(const TranscodeOptions& options, const EventSink& events, const StopToken& stop);

/// Writes one file: the job's streams of the source, encoded or copied.
void convert(const ConvertOptions& options, const EventSink& events, const StopToken& stop);

}  // namespace millrace
