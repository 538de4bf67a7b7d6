#include "media/input.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>
#include <utility>

#include "av/error.h"
#include "media/matroska_structure.h"
#include "media/mp4_structure.h"

namespace millrace::media {

namespace {

constexpr int kIoBufferBytes = 64 << 10;
constexpr double kLeastSoundShare = 0.95;
constexpr int kMaxConsecutiveReadErrors = 64;
/// Times beyond are damage. Sums and differences of a few that are not stay in 64 bits.
constexpr int64_t kFarthestTick = int64_t{1} << 60;

bool is_video(const AVStream& stream) {
  return stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !is_cover_art(stream);
}

bool is_absurd(int64_t time) {
  return time != AV_NOPTS_VALUE && (time > kFarthestTick || time < -kFarthestTick);
}

void forget_absurd_times(AVPacket& packet) {
  if (is_absurd(packet.pts)) packet.pts = AV_NOPTS_VALUE;
  if (is_absurd(packet.dts)) packet.dts = AV_NOPTS_VALUE;
  if (packet.duration < 0 || packet.duration > kFarthestTick) packet.duration = 0;
}

/// "00:01:02.345000000" → 62.345; 0 for anything else.
double clock_seconds(const std::string& text) {
  std::istringstream stream(text);
  double hours = 0;
  double minutes = 0;
  double seconds = 0;
  char first = 0;
  char second = 0;
  stream >> hours >> first >> minutes >> second >> seconds;
  const bool sound = !stream.fail() && first == ':' && second == ':';
  return sound ? hours * 3600 + minutes * 60 + seconds : 0;
}

int64_t declared_riff_end(const std::vector<uint8_t>& head) {
  if (head.size() < 8) return 0;
  const int64_t size = head[4] | head[5] << 8 | head[6] << 16 | static_cast<int64_t>(head[7]) << 24;
  return size == 0 ? 0 : size + 8;
}

}  // namespace

bool is_cover_art(const AVStream& stream) {
  return (stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) !=
         0;
}

Input::Input(const Source& source, const StopToken& stop, Access access)
    : Input(open_source(source, stop, access), source.limits, stop, source.allow_no_video) {}

Input::Input(std::unique_ptr<ByteSource> bytes, const Limits& limits, const StopToken& stop,
             bool allow_no_video)
    : stop_(stop), source_(std::move(bytes)) {
  container_ = identify_container(*source_, allow_no_video);
  if (container_.demuxer.rfind("mov", 0) == 0) fragmented_ = inspect_mp4(*source_).fragmented;
  open_format();
  check_limits(limits);
  find_streams();
  check_limits(limits);
  check_sample_table();
  check_declared_length();
}

Input::~Input() = default;

void Input::open_format() {
  av::Bytes buffer{static_cast<uint8_t*>(av_malloc(kIoBufferBytes))};
  av::check_ptr(buffer.get(), "allocate the read buffer");
  io_.reset(avio_alloc_context(buffer.get(), kIoBufferBytes, 0, this, &Input::on_read, nullptr,
                               &Input::on_seek));
  av::check_ptr(io_.get(), "allocate the I/O context");
  static_cast<void>(buffer.release());  // the I/O context owns it now

  AVFormatContext* format = av::check_ptr(avformat_alloc_context(), "allocate the format context");
  format->pb = io_.get();
  format->opaque = this;
  format->io_open = &Input::on_open;
  format->interrupt_callback = {&Input::on_interrupt, this};
  format->flags |= AVFMT_FLAG_CUSTOM_IO;
  av::Dictionary options;
  options.set("format_whitelist", container_.demuxer.c_str());
  options.set("protocol_whitelist", "none");
  if (container_.demuxer.rfind("mov", 0) == 0) {
    options.set("enable_drefs", int64_t{0});
    options.set("use_absolute_path", int64_t{0});
  }
  const AVInputFormat* demuxer = av_find_input_format(container_.demuxer.c_str());
  const int rc = avformat_open_input(&format, "", demuxer, options.out());  // frees it on failure
  format_.reset(rc < 0 ? nullptr : format);
  if (rc == AVERROR_DECODER_NOT_FOUND || rc == AVERROR_DEMUXER_NOT_FOUND ||
      rc == AVERROR_PATCHWELCOME) {
    throw EngineError(Reason::UnsupportedContainer,
                      "This variant of the container format is not supported.");
  }
  checked(rc, "The container's header is damaged and cannot be read");
}

void Input::find_streams() {
  checked(avformat_find_stream_info(format_.get(), nullptr),
          "The container's streams cannot be analysed");
  rethrow_pending();
}

int Input::checked(int rc, const char* what) {
  rethrow_pending();
  if (!refused_url_.empty()) {
    throw EngineError(Reason::ExternalReference,
                      "The file points to another file or address. Nothing else was opened; upload "
                      "a self-contained file.");
  }
  if (rc >= 0) return rc;
  throw EngineError(Reason::Corrupt, std::string{what} + " (" + av::describe(rc) +
                                         "). Upload it again or re-export it.");
}

void Input::rethrow_pending() {
  if (pending_) std::rethrow_exception(std::exchange(pending_, nullptr));
  stop_.check();
}

void Input::check_limits(const Limits& limits) const {
  if (limits.max_streams > 0 && format_->nb_streams > static_cast<unsigned>(limits.max_streams)) {
    throw EngineError(Reason::LimitExceeded,
                      "The file has " + std::to_string(format_->nb_streams) + " streams; at most " +
                          std::to_string(limits.max_streams) + " are allowed.");
  }
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    const AVStream& stream = *format_->streams[i];
    const int64_t pixels = int64_t{stream.codecpar->width} * stream.codecpar->height;
    if (is_video(stream) && limits.max_pixels > 0 && pixels > limits.max_pixels) {
      throw EngineError(Reason::LimitExceeded,
                        "The picture is " + std::to_string(stream.codecpar->width) + "x" +
                            std::to_string(stream.codecpar->height) + "; at most " +
                            std::to_string(limits.max_pixels) + " pixels are allowed.");
    }
  }
  const auto duration_s = static_cast<double>(format_->duration) / AV_TIME_BASE;
  if (limits.max_duration_s > 0 && format_->duration != AV_NOPTS_VALUE &&
      duration_s > limits.max_duration_s) {
    throw EngineError(Reason::LimitExceeded,
                      "The video lasts " + std::to_string(std::llround(duration_s)) +
                          " s; at most " + std::to_string(std::llround(limits.max_duration_s)) +
                          " s are allowed.");
  }
}

/// MP4: how many of the video's samples lie inside the file?
void Input::check_sample_table() {
  if (container_.demuxer.rfind("mov", 0) != 0 || fragmented_) return;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    AVStream* stream = format_->streams[i];
    const int count = avformat_index_get_entries_count(stream);
    if (!is_video(*stream) || count == 0) continue;
    int good = 0;
    int64_t first_bad = AV_NOPTS_VALUE;
    for (int n = 0; n < count; ++n) {
      const AVIndexEntry* entry = avformat_index_get_entry(stream, n);
      if (entry->pos + entry->size <= bytes()) {
        ++good;
      } else if (first_bad == AV_NOPTS_VALUE) {
        first_bad = entry->timestamp;
      }
    }
    if (good == count) continue;
    require_share(static_cast<double>(good) / count, seconds_from_start(*stream, first_bad));
  }
}

/// Matroska and AVI say how long they are.
void Input::check_declared_length() {
  constexpr size_t kRiffHeader = 8;
  const bool matroska = container_.demuxer == "matroska,webm";
  int64_t end = 0;
  if (matroska) end = declared_matroska_end(*source_);
  if (container_.demuxer == "avi") end = declared_riff_end(source_->read_block(0, kRiffHeader));
  if (end <= bytes()) return;
  const double share = static_cast<double>(bytes()) / static_cast<double>(end);
  const double duration_s =
      static_cast<double>(std::max<int64_t>(format_->duration, 0)) / AV_TIME_BASE;
  double until_s = share * duration_s;
  const bool ticks_known = matroska && format_->nb_streams > 0;
  if (const auto last = ticks_known ? last_matroska_block(*source_) : std::nullopt) {
    const AVStream& any = *format_->streams[0];  // all share the segment's ticks
    until_s = seconds_from_start(any, *last);
  }
  require_share(share, until_s);
}

/// Of a timestamp in the stream's time base, as users count: the first picture is at 0.
double Input::seconds_from_start(const AVStream& stream, int64_t timestamp) const {
  const int64_t start = origin(leading_stream(), stream.time_base);
  return std::max(0.0, static_cast<double>(timestamp - start) * av_q2d(stream.time_base));
}

void Input::require_share(double share, double sound_until_s) {
  if (share < kLeastSoundShare) {
    throw EngineError(Reason::Corrupt,
                      "The file is truncated: only the first " +
                          std::to_string(std::lround(share * 100)) +
                          " % of it are there. Upload it again.",
                      sound_until_s);
  }
  sound_share_ = std::min(share, sound_share_.value_or(1.0));
}

AVStream& Input::stream(int index) {
  if (index < 0 || static_cast<unsigned>(index) >= format_->nb_streams) {
    throw EngineError(Reason::SourceChanged,
                      "The source has no stream " + std::to_string(index) +
                          ", which the plan names: it is not the file that was planned for.");
  }
  return *format_->streams[index];
}

int Input::find_video() const {
  int best = -1;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    const AVStream& stream = *format_->streams[i];
    if (!is_video(stream)) continue;
    const bool default_now = (stream.disposition & AV_DISPOSITION_DEFAULT) != 0;
    const bool default_before =
        best >= 0 && (format_->streams[best]->disposition & AV_DISPOSITION_DEFAULT) != 0;
    if (best < 0 || (default_now && !default_before)) best = static_cast<int>(i);
  }
  return best;
}

int Input::best_video_stream() const {
  const int best = find_video();
  if (best < 0) {
    throw EngineError(Reason::NoVideoStream,
                      "The file has no video stream, only sound or pictures.");
  }
  return best;
}

int Input::leading_stream() const {
  const int video = find_video();
  if (video >= 0) return video;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    if (format_->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) return static_cast<int>(i);
  }
  return 0;
}

int64_t Input::origin(int video_stream, AVRational time_base) const {
  const AVStream& video = *format_->streams[video_stream];
  if (video.start_time != AV_NOPTS_VALUE && !is_absurd(video.start_time)) {
    return av_rescale_q(video.start_time, video.time_base, time_base);
  }
  if (format_->start_time != AV_NOPTS_VALUE) {
    return av_rescale_q(format_->start_time, AV_TIME_BASE_Q, time_base);
  }
  return 0;
}

void Input::select_stream(int index) {
  select_streams(std::span{&index, 1});
}

void Input::select_streams(std::span<const int> indices) {
  for (unsigned i = 0; i < format_->nb_streams; ++i) format_->streams[i]->discard = AVDISCARD_ALL;
  for (const int index : indices) stream(index).discard = AVDISCARD_DEFAULT;
}

void Input::select_all_streams() {
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    format_->streams[i]->discard = AVDISCARD_DEFAULT;
  }
}

bool Input::read(AVPacket& packet) {
  for (int errors = 0; errors < kMaxConsecutiveReadErrors;) {
    av_packet_unref(&packet);
    const int rc = av_read_frame(format_.get(), &packet);
    if (rc < 0) rethrow_pending();
    stop_.check();
    if (rc == AVERROR_EOF) return false;
    if (rc == AVERROR(EAGAIN)) continue;
    if (rc < 0) {
      ++errors;
      ++damaged_packets_;
      if (avio_feof(io_.get()) != 0) return false;
      continue;
    }
    const AVStream& stream = *format_->streams[packet.stream_index];
    if (stream.discard == AVDISCARD_ALL) continue;
    if ((packet.flags & AV_PKT_FLAG_CORRUPT) != 0) ++damaged_packets_;
    forget_absurd_times(packet);
    return true;
  }
  return false;
}

bool Input::seek(int stream, int64_t timestamp) {
  ++moves_;
  const int rc = avformat_seek_file(format_.get(), stream, INT64_MIN, timestamp, timestamp, 0);
  rethrow_pending();
  return rc >= 0;
}

void Input::rewind() {
  ++moves_;
  const int rc = avformat_seek_file(format_.get(), -1, INT64_MIN, INT64_MIN + 1, INT64_MAX, 0);
  rethrow_pending();
  if (rc >= 0) return;
  const int byte_rc = av_seek_frame(format_.get(), -1, 0, AVSEEK_FLAG_BYTE);
  checked(byte_rc, "The file cannot be read from its start again");
}

void Input::prepare_seeking(int stream_index) {
  if (container_.demuxer != "matroska,webm" || format_->duration <= 0) return;
  const int64_t end =
      av_rescale_q(format_->duration, AV_TIME_BASE_Q, stream(stream_index).time_base);
  static_cast<void>(seek(stream_index, end));
}

bool Input::seekable_exactly() const {
  const bool mov = container_.demuxer.rfind("mov", 0) == 0;
  if ((!mov && container_.demuxer != "matroska,webm") || (mov && fragmented_)) return false;
  if (format_->duration == AV_NOPTS_VALUE || format_->duration <= 0) return false;
  AVStream* stream = format_->streams[leading_stream()];
  const int count = avformat_index_get_entries_count(stream);
  if (count == 0) return false;
  if (mov) return true;
  // Matroska's cues must reach near the end, or a seek would read everything in between.
  constexpr double kLargestTailS = 30;
  const auto last = avformat_index_get_entry(stream, count - 1)->timestamp;
  const double last_s = static_cast<double>(last) * av_q2d(stream->time_base);
  const double end_s = static_cast<double>(format_->duration) / AV_TIME_BASE;
  return end_s - last_s < kLargestTailS;
}

double Input::duration_s(int stream_index) const {
  const AVStream& stream = *format_->streams[stream_index];
  if (stream.duration != AV_NOPTS_VALUE && stream.duration > 0) {
    return static_cast<double>(stream.duration) * av_q2d(stream.time_base);
  }
  const AVDictionaryEntry* tag = av_dict_get(stream.metadata, "DURATION", nullptr, 0);
  const double end_s = tag == nullptr ? 0 : clock_seconds(tag->value);
  if (end_s > 0) {
    const double start_s = stream.start_time == AV_NOPTS_VALUE
                               ? 0
                               : static_cast<double>(stream.start_time) * av_q2d(stream.time_base);
    if (end_s > start_s) return end_s - start_s;
  }
  if (format_->duration == AV_NOPTS_VALUE || format_->duration <= 0) return 0;
  return static_cast<double>(format_->duration) / AV_TIME_BASE;
}

int Input::on_read(void* self_pointer, uint8_t* into, int length) {
  auto* self = static_cast<Input*>(self_pointer);
  try {
    const size_t got = self->source_->read_at(self->position_, {into, static_cast<size_t>(length)});
    self->position_ += static_cast<int64_t>(got);
    return got == 0 ? AVERROR_EOF : static_cast<int>(got);
  } catch (...) {  // an exception must not cross libav's C frames; rethrown by rethrow_pending
    self->pending_ = std::current_exception();
    return AVERROR_EXIT;
  }
}

int64_t Input::on_seek(void* self_pointer, int64_t offset, int whence) {
  auto* self = static_cast<Input*>(self_pointer);
  const int64_t size = self->source_->size();
  switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
      return size;
    case SEEK_SET:
      break;
    case SEEK_CUR:
      offset += self->position_;
      break;
    case SEEK_END:
      offset += size;
      break;
    default:
      return AVERROR(EINVAL);
  }
  if (offset < 0) return AVERROR(EINVAL);
  self->position_ = offset;
  return offset;
}

int Input::on_interrupt(void* self_pointer) {
  return static_cast<const Input*>(self_pointer)->stop_.requested() ? 1 : 0;
}

int Input::on_open(AVFormatContext* format, AVIOContext** io, const char* url, int /*flags*/,
                   AVDictionary** /*options*/) {
  *io = nullptr;
  auto* self = static_cast<Input*>(format->opaque);
  if (self != nullptr) self->refused_url_ = url == nullptr ? "?" : url;
  return AVERROR(EPERM);
}

}  // namespace millrace::media
