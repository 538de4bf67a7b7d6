#include "media/muxer.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include "av/error.h"
#include "millrace/engine.h"

extern "C" {
#include <libavutil/mathematics.h>
}

namespace millrace::media {

namespace fs = std::filesystem;

namespace {

const char* muxer_name(const Muxer::Options& options) {
  if (!options.write) return "null";
  return options.container == OutputContainer::Mkv ? "matroska" : container_name(options.container);
}

/// Matroska's times of Opus count from what only prepares the decoder (CodecDelay); libavformat 59
/// writes the delay but leaves the times.
int64_t codec_delay(const AVStream& stream, OutputContainer container, AVRational time_base) {
  const AVCodecParameters& codec = *stream.codecpar;
  if (container == OutputContainer::Mp4 || codec.codec_id != AV_CODEC_ID_OPUS) return 0;
  constexpr int kOpusHz = 48'000;
  return av_rescale_q(codec.initial_padding, {1, kOpusHz}, time_base);
}

void move(AVPacket& packet, int64_t ticks) {
  if (packet.pts != AV_NOPTS_VALUE) packet.pts += ticks;
  if (packet.dts != AV_NOPTS_VALUE) packet.dts += ticks;
}

[[noreturn]] void fail_output(int rc) {
  throw EngineError(Reason::OutputFailed,
                    "The output cannot be written: " + av::describe(rc) + ".");
}

}  // namespace

Muxer::Muxer(Options options) : options_(std::move(options)) {
  AVFormatContext* format = nullptr;
  av::check(avformat_alloc_output_context2(&format, nullptr, muxer_name(options_), nullptr),
            "set up the container");
  format_.reset(format);
  format_->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;  // Opus in MP4
  if (options_.write) open_file();
}

Muxer::~Muxer() {
  const bool opened = file_ != nullptr;
  format_->pb = nullptr;
  file_.reset();
  std::error_code error;
  if (!finished_ && opened && fs::is_regular_file(options_.path, error)) {
    fs::remove(options_.path, error);
  }
}

/// Named as a file: a path that looks like a URL is a path.
void Muxer::open_file() {
  const std::string url = "file:" + options_.path.string();
  AVIOContext* file = nullptr;
  if (const int rc = avio_open2(&file, url.c_str(), AVIO_FLAG_WRITE, nullptr, nullptr); rc < 0) {
    fail_output(rc);
  }
  file_.reset(file);
  format_->pb = file;
  // Moving the index to the front reads the file again, by this name.
  format_->url = av::check_ptr(av_strdup(url.c_str()), "name the output");
}

AVStream& Muxer::add_stream() {
  return *av::check_ptr(avformat_new_stream(format_.get(), nullptr), "add a stream");
}

bool Muxer::accepts(AVCodecID codec) const {
  if (!options_.write) return true;
  return avformat_query_codec(format_->oformat, codec, FF_COMPLIANCE_EXPERIMENTAL) == 1;
}

void Muxer::start() {
  av::Dictionary options;
  if (options_.container == OutputContainer::Mp4) options.set("movflags", "+faststart");
  const int rc = avformat_write_header(format_.get(), options.out());
  if (rc >= 0) return account(0);
  if (format_->pb != nullptr && format_->pb->error < 0) fail_output(format_->pb->error);
  throw EngineError(Reason::UnsupportedCodec, std::string{"These streams cannot be put into "} +
                                                  container_name(options_.container) + ": " +
                                                  av::describe(rc) + ".");
}

void Muxer::write(AVPacket& packet, const AVStream& stream, AVRational time_base) {
  const std::lock_guard lock(mutex_);
  account(packet.size);
  note_end(packet, time_base);
  move(packet, codec_delay(stream, options_.container, time_base));
  av_packet_rescale_ts(&packet, time_base, stream.time_base);
  packet.stream_index = stream.index;
  packet.pos = -1;
  check(av_interleaved_write_frame(format_.get(), &packet), "A packet cannot be written");
  account(0);
}

void Muxer::finish() {
  const std::lock_guard lock(mutex_);
  check(av_write_trailer(format_.get()), "The output cannot be completed");
  if (file_) {
    avio_flush(file_.get());
    account(0);
    const int error = file_->error;
    format_->pb = nullptr;
    const int closed = avio_close(file_.release());
    finished_ = error >= 0 && closed >= 0;
    if (!finished_) {
      std::error_code ignored;
      fs::remove(options_.path, ignored);
      fail_output(error < 0 ? error : closed);
    }
    std::error_code unknown;
    const auto size = static_cast<int64_t>(fs::file_size(options_.path, unknown));
    if (!unknown) bytes_.store(size, std::memory_order_relaxed);
  }
  finished_ = true;
}

double Muxer::end_s() const {
  const std::lock_guard lock(mutex_);
  return end_s_;
}

void Muxer::account(int64_t more) {
  if (!file_) return;
  const int64_t total = avio_tell(file_.get());
  bytes_.store(total, std::memory_order_relaxed);
  if (options_.max_bytes <= 0 || total + more <= options_.max_bytes) return;
  throw EngineError(Reason::LimitExceeded, "The output would be larger than the " +
                                               std::to_string(options_.max_bytes) +
                                               " bytes that are allowed.");
}

/// What the file system refused is told apart from what the container did.
void Muxer::check(int rc, const char* what) {
  if (file_ && file_->error < 0) fail_output(file_->error);
  if (rc >= 0) return;
  throw EngineError(Reason::Corrupt, std::string{what} + " (" + av::describe(rc) +
                                         "): its times or its content are damaged.");
}

void Muxer::note_end(const AVPacket& packet, AVRational time_base) {
  if (packet.pts == AV_NOPTS_VALUE) return;
  const double end = static_cast<double>(packet.pts + std::max<int64_t>(packet.duration, 0));
  end_s_ = std::max(end_s_, end * av_q2d(time_base));
}

}  // namespace millrace::media
