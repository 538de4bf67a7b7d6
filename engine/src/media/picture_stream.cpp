#include "media/picture_stream.h"

#include <algorithm>
#include <utility>

namespace millrace::media {

bool is_damaged(const AVFrame& frame) {
  return (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0 || frame.decode_error_flags != 0;
}

PictureStream::PictureStream(Input& input, AVStream& stream, const VideoFacts& facts,
                             Decoder::Options options, bool at_start, Listener listener)
    : input_(input),
      stream_(stream),
      listener_(std::move(listener)),
      decoder_(stream, options),
      deinterlaces_(facts.may_be_interlaced),
      at_first_picture_(at_start) {
  make_deinterlacer();
}

void PictureStream::make_deinterlacer() {
  deinterlacer_.reset();
  if (!deinterlaces_) return;
  deinterlacer_.emplace("bwdif=mode=send_frame:deint=interlaced", stream_.time_base);
}

void PictureStream::restart(bool at_start) {
  decoder_.flush();
  make_deinterlacer();
  at_first_picture_ = at_start;
  needs_more_ = true;
  timestamp_shift_ = 0;
  last_timestamp_ = AV_NOPTS_VALUE;
}

bool PictureStream::decode(const AVPacket* packet) {
  const int64_t errors_before = decoder_.errors();
  const bool more =
      decoder_.decode(packet, [this](TimedFrame decoded) { return take(std::move(decoded)); });
  if (decoder_.errors() > errors_before) {
    const int64_t known = packet != nullptr ? packet->pts : AV_NOPTS_VALUE;
    note_damage(known != AV_NOPTS_VALUE ? known : last_timestamp_);
  }
  if (!more) return false;
  if (packet == nullptr && deinterlacer_) {
    deinterlacer_->finish([this](av::Frame frame) { deinterlaced(std::move(frame)); });
  }
  return needs_more_;
}

void PictureStream::note_damage(int64_t timestamp) const {
  if (listener_.on_damage) listener_.on_damage(timestamp);
}

/// Containers without presentation times (AVI) leave us the decode times, which are later by the
/// codec's reordering: take that back, or the picture lags behind the sound.
void PictureStream::note_first(const TimedFrame& decoded) {
  constexpr int64_t kMostReordering = 16;
  at_first_picture_ = false;
  const int64_t lag = decoded.timestamp - input_.origin(stream_.index, stream_.time_base);
  const bool decode_time_only = decoded.frame->pts == AV_NOPTS_VALUE;
  if (decode_time_only && lag > 0 && lag <= kMostReordering * decoded.duration) {
    timestamp_shift_ = lag;
  }
}

bool PictureStream::take(TimedFrame decoded) {
  if (at_first_picture_) note_first(decoded);
  decoded.timestamp -= timestamp_shift_;
  if (listener_.on_decoded && !listener_.on_decoded(decoded)) return false;
  AVFrame& frame = *decoded.frame;
  if (is_damaged(frame)) note_damage(decoded.timestamp);
  last_timestamp_ = std::max(last_timestamp_, decoded.timestamp);
  frame.sample_aspect_ratio = av_guess_sample_aspect_ratio(&input_.format(), &stream_, &frame);
  frame.pts = decoded.timestamp;
  frame.pkt_duration = decoded.duration;
  if (deinterlacer_) {
    deinterlacer_->push(frame, [this](av::Frame whole) { deinterlaced(std::move(whole)); });
  } else {
    needs_more_ = listener_.on_picture(std::move(decoded));
  }
  return needs_more_;
}

void PictureStream::deinterlaced(av::Frame frame) {
  const int64_t timestamp = frame->pts;
  const int64_t duration = frame->pkt_duration;
  needs_more_ = listener_.on_picture({std::move(frame), timestamp, duration});
}

}  // namespace millrace::media
