/// A demuxer over our own bytes: the libav format context, locked down.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "av/ptr.h"
#include "media/byte_source.h"
#include "media/sniff.h"

namespace millrace::media {

/// A picture that goes with the sound, not a video.
bool is_cover_art(const AVStream& stream);

/// An opened source. Not thread-safe; independent passes open their own.
class Input {
 public:
  /// Opens, recognises and checks the source against its limits. Throws `EngineError`.
  Input(const Source& source, const StopToken& stop, Access access = Access::Sequential);
  /// The same over bytes from anywhere (fuzzing).
  Input(std::unique_ptr<ByteSource> bytes, const Limits& limits, const StopToken& stop,
        bool allow_no_video);
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input();

  AVFormatContext& format() { return *format_; }
  const AVFormatContext& format() const { return *format_; }
  AVStream& stream(int index);
  const Container& container() const { return container_; }
  /// A movie in fragments: its index covers what was read so far only.
  bool fragmented() const { return fragmented_; }
  int64_t bytes() const { return source_->size(); }
  int64_t bytes_read() const { return source_->bytes_read(); }

  /// There is a video that is no cover art.
  bool has_video() const { return find_video() >= 0; }
  /// Index of the stream that is the video (not cover art); throws NO_VIDEO_STREAM.
  int best_video_stream() const;
  /// The one by which times are told: the video; without one the first sound, or anything else.
  int leading_stream() const;
  /// Time zero of the output: the video stream's first presented timestamp, in `time_base`.
  int64_t origin(int video_stream, AVRational time_base) const;

  /// Only packets of this stream are delivered; the others are skipped unread where possible.
  void select_stream(int index);
  void select_all_streams();
  void select_streams(std::span<const int> indices);
  /// The next packet of a selected stream; false at the end. Counts damage it had to skip.
  bool read(AVPacket& packet);
  /// Moves to the key frame at or before `timestamp` (stream's time base); false if impossible.
  bool seek(int stream, int64_t timestamp);
  /// Back to the first packet.
  void rewind();
  /// How often it was sought or rewound: tells a reader whether somebody else moved it.
  int64_t moves() const { return moves_; }

  /// Damage met so far: failed reads, packets flagged corrupt.
  int64_t damaged_packets() const { return damaged_packets_; }
  /// The file is known to be cut short but was accepted; the share that is there (by time).
  std::optional<double> sound_share() const { return sound_share_; }
  /// Makes a demuxer that reads its index only when it is needed (Matroska) read it.
  void prepare_seeking(int stream_index);
  /// A seek to any time lands exactly (ask after `prepare_seeking`): the container has an index
  /// over its whole length.
  bool seekable_exactly() const;

  /// Duration of a stream, or of the container where the stream has none, in seconds; 0 = unknown.
  double duration_s(int stream_index) const;
  /// Throws a failure of the byte source that libav only saw as an error code.
  void rethrow_pending();

 private:
  static int on_read(void* self, uint8_t* into, int length);
  static int64_t on_seek(void* self, int64_t offset, int whence);
  static int on_interrupt(void* self);
  static int on_open(AVFormatContext* format, AVIOContext** io, const char* url, int flags,
                     AVDictionary** options);

  int find_video() const;
  void open_format();
  void find_streams();
  void check_limits(const Limits& limits) const;
  void check_sample_table();
  void check_declared_length();
  void require_share(double share, double sound_until_s);
  double seconds_from_start(const AVStream& stream, int64_t timestamp) const;
  int checked(int rc, const char* what);

  const StopToken& stop_;
  std::unique_ptr<ByteSource> source_;
  Container container_;
  int64_t position_ = 0;
  std::exception_ptr pending_;
  std::string refused_url_;
  av::Io io_;
  av::FormatInput format_;
  int64_t damaged_packets_ = 0;
  int64_t moves_ = 0;
  bool fragmented_ = false;
  std::optional<double> sound_share_;
};

}  // namespace millrace::media
