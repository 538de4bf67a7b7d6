/// One output file: packets of several streams in, MP4, Matroska or WebM out.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>

#include "av/ptr.h"
#include "media/convert_job.h"

namespace millrace::media {

/// The file exists from the construction on and is removed again unless `finish` got through.
class Muxer {
 public:
  struct Options {
    std::filesystem::path path;
    OutputContainer container = OutputContainer::Mp4;
    int64_t max_bytes = 0;  ///< 0 = no bound
    bool write = true;      ///< false: everything is taken and nothing kept
  };

  /// Throws OUTPUT_FAILED.
  explicit Muxer(Options options);
  Muxer(const Muxer&) = delete;
  Muxer& operator=(const Muxer&) = delete;
  ~Muxer();

  AVFormatContext& format() { return *format_; }
  /// A stream that `start` will announce; its parameters are the caller's to fill in.
  AVStream& add_stream();
  /// The codec can be put into this container.
  bool accepts(AVCodecID codec) const;
  /// Writes the header. Throws UNSUPPORTED_CODEC where the streams do not go together with it.
  void start();
  /// Takes the packet, whose times are in `time_base`. Several threads may. Throws OUTPUT_FAILED,
  /// and LIMIT_EXCEEDED instead of writing what would be too much.
  void write(AVPacket& packet, const AVStream& stream, AVRational time_base);
  void finish();

  /// Bytes written so far; any thread may ask.
  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  /// When the last packet so far ends, in seconds.
  double end_s() const;

 private:
  void open_file();
  void account(int64_t more);
  void check(int rc, const char* what);
  void note_end(const AVPacket& packet, AVRational time_base);

  Options options_;
  av::FormatOutput format_;
  av::FileOutput file_;
  bool finished_ = false;
  mutable std::mutex mutex_;
  std::atomic<int64_t> bytes_{0};
  double end_s_ = 0;
};

}  // namespace millrace::media
