#include "media/decoder.h"

#include <algorithm>
#include <string>

#include "av/error.h"
#include "millrace/engine.h"

namespace millrace::media {

namespace {

[[noreturn]] void refuse_codec(const AVStream& stream, const std::string& why) {
  throw EngineError(Reason::UnsupportedCodec,
                    "The codec of stream " + std::to_string(stream.index) + " (" +
                        avcodec_get_name(stream.codecpar->codec_id) + ") " + why +
                        ". Convert the video to H.264 and AAC and upload that.");
}

int64_t nominal_frame_duration(const AVStream& stream) {
  if (stream.codecpar->codec_type != AVMEDIA_TYPE_VIDEO) return 0;
  const AVRational rate =
      stream.avg_frame_rate.num > 0 ? stream.avg_frame_rate : stream.r_frame_rate;
  if (rate.num <= 0 || rate.den <= 0) return 0;
  return std::max<int64_t>(1, av_rescale_q(1, av_inv_q(rate), stream.time_base));
}

}  // namespace

Decoder::Decoder(const AVStream& stream, Options options)
    : stream_(stream),
      max_pixels_(options.max_pixels),
      nominal_duration_(nominal_frame_duration(stream)) {
  const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  if (codec == nullptr) refuse_codec(stream, "is not supported");
  codec_.reset(av::check_ptr(avcodec_alloc_context3(codec), "allocate a decoder"));
  av::check(avcodec_parameters_to_context(codec_.get(), stream.codecpar), "set up the decoder");
  codec_->pkt_timebase = stream.time_base;
  codec_->thread_count = std::max(1, options.threads);
  // What libav refuses by itself looks like damage: leave what is a little too large to us.
  constexpr int64_t kMargin = 4;
  if (max_pixels_ > 0) codec_->max_pixels = max_pixels_ * kMargin;
  if (options.key_frames_only) codec_->skip_frame = AVDISCARD_NONKEY;
  const int rc = avcodec_open2(codec_.get(), codec, nullptr);
  if (rc < 0) refuse_codec(stream, "cannot be decoded (" + av::describe(rc) + ")");
}

bool Decoder::decode(const AVPacket* packet, const OnFrame& on_frame) {
  // A decoder that does nothing but fail must not hold us here.
  constexpr int kMostFailures = 256;
  int failures = 0;
  for (bool sent = false; !sent && failures < kMostFailures;) {
    int rc = avcodec_send_packet(codec_.get(), packet);
    sent = rc != AVERROR(EAGAIN);
    if (sent && rc < 0 && rc != AVERROR_EOF) note_error(rc, "decode a packet");
    while (failures < kMostFailures) {
      av::Frame frame = av::make_frame();
      rc = avcodec_receive_frame(codec_.get(), frame.get());
      if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) break;
      if (rc < 0) {
        note_error(rc, "decode a frame");
        ++failures;
        continue;
      }
      ++frames_;
      check_size(*frame);
      if (!on_frame(timed(std::move(frame)))) return false;
    }
  }
  return true;
}

void Decoder::flush() {
  avcodec_flush_buffers(codec_.get());
  next_timestamp_ = AV_NOPTS_VALUE;
}

void Decoder::note_error(int rc, const char* what) {
  if (rc == AVERROR(ENOMEM)) av::check(rc, what);
  if (frames_ == 0) return;  // recordings of broadcasts begin anywhere in a group of pictures
  ++errors_;
  if (first_error_timestamp_ == AV_NOPTS_VALUE) first_error_timestamp_ = next_timestamp_;
}

void Decoder::check_size(const AVFrame& frame) const {
  if (max_pixels_ <= 0 || int64_t{frame.width} * frame.height <= max_pixels_) return;
  const int64_t start = stream_.start_time == AV_NOPTS_VALUE ? 0 : stream_.start_time;
  const int64_t at = next_timestamp_ == AV_NOPTS_VALUE ? start : next_timestamp_;
  throw EngineError(Reason::LimitExceeded,
                    "The picture becomes " + std::to_string(frame.width) + "x" +
                        std::to_string(frame.height) + "; at most " + std::to_string(max_pixels_) +
                        " pixels are allowed.",
                    static_cast<double>(at - start) * av_q2d(stream_.time_base));
}

TimedFrame Decoder::timed(av::Frame frame) {
  TimedFrame result;
  result.timestamp = frame->best_effort_timestamp;
  if (result.timestamp == AV_NOPTS_VALUE) {
    result.timestamp = next_timestamp_ != AV_NOPTS_VALUE      ? next_timestamp_
                       : stream_.start_time != AV_NOPTS_VALUE ? stream_.start_time
                                                              : 0;
  }
  result.duration = frame->pkt_duration > 0 ? frame->pkt_duration : nominal_duration_;
  next_timestamp_ =
      result.timestamp + (nominal_duration_ > 0 ? nominal_duration_ : result.duration);
  result.frame = std::move(frame);
  return result;
}

}  // namespace millrace::media
