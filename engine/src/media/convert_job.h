/// What `convert` is to make of one source: read from JSON, checked before a file is opened.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "av/ptr.h"

namespace millrace::media {

enum class OutputContainer { Mp4, Mkv, WebM };

/// "mp4", "mkv" or "webm", as the job has it.
const char* container_name(OutputContainer container);

/// One of two passes; `stats` is the path that the statistics' files begin with.
struct PassPlan {
  int number = 1;
  std::string stats;
};

/// A part of the upright picture, in its own pixels.
struct CropBox {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

struct ConvertVideo {
  int stream = 0;
  std::optional<AVCodecID> codec;  ///< none = packets are copied; all below is then without meaning
  std::string preset = "medium";   ///< libx264's name, mapped for the other encoders
  double crf = 23;                 ///< on the codec's own scale; where `bitrate_bps` is 0
  int64_t bitrate_bps = 0;         ///< on average
  std::optional<PassPlan> pass;
  std::optional<CropBox> crop;
  int width = 0;  ///< pixels; 0 = by the other one, or the source's
  int height = 0;
  std::optional<AVRational> fps;  ///< none = the source's times are kept
  bool keep_hdr = false;          ///< else HDR is shown as SDR
  std::string profile;            ///< the encoder's name; "" = what the pictures need
  int pixel_depth = 8;
  double key_frame_interval_s = 10;  ///< at most

  bool copied() const { return !codec; }
};

struct ConvertAudio {
  int stream = 0;
  std::optional<AVCodecID> codec;  ///< none = packets are copied
  int64_t bitrate_bps = 128'000;
  int channels = 0;  ///< 0 = the source's
};

struct ConvertSubtitles {
  int stream = 0;
  std::optional<AVCodecID> codec;  ///< none = packets are copied
};

struct ConvertJob {
  OutputContainer container = OutputContainer::Mp4;
  double start_s = 0;  ///< since the first picture
  std::optional<double> end_s;
  std::optional<ConvertVideo> video;
  std::vector<ConvertAudio> audio;
  std::vector<ConvertSubtitles> subtitles;
  bool metadata = true;
  bool chapters = true;

  /// The first of two passes looks at the pictures only and writes no video.
  bool only_analyses() const { return video && video->pass && video->pass->number == 1; }
};

/// Throws `std::invalid_argument` naming the key that is unknown or wrong.
ConvertJob parse_convert_job(const std::string& text);
ConvertJob load_convert_job(const std::filesystem::path& path);

}  // namespace millrace::media
