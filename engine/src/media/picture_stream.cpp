#include "media/picture_stream.h"

#include <algorithm>
#include <utility>

namespace millrace::media {

PictureStream::PictureStream(Input& input, AVStream& stream, const VideoFacts& facts,
                             Decoder::Options options, bool at_start, Listener listener)
    : input_(input),
      stream_(stream),
      listener_(std::move(listener)),
      decoder_(stream, options),
      at_first_picture_(at_start) {
  if (facts.may_be_interlaced) {
    deinterlacer_.emplace("bwdif=mode=send_frame:deint=interlaced", stream.time_base);
  }
}

void PictureStream::decode(const AVPacket* packet) {
  const int64_t errors_before = decoder_.errors();
  decoder_.decode(packet, [this](TimedFrame decoded) {
    take(std::move(decoded));
    return true;
  });
  if (decoder_.errors() > errors_before) {
    const int64_t known = packet != nullptr ? packet->pts : AV_NOPTS_VALUE;
    listener_.on_damage(known != AV_NOPTS_VALUE ? known : last_timestamp_);
  }
  if (packet == nullptr && deinterlacer_) {
    deinterlacer_->finish([this](av::Frame frame) { deinterlaced(std::move(frame)); });
  }
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

void PictureStream::take(TimedFrame decoded) {
  if (at_first_picture_) note_first(decoded);
  decoded.timestamp -= timestamp_shift_;
  AVFrame& frame = *decoded.frame;
  const bool damaged = (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0 || frame.decode_error_flags != 0;
  if (damaged) listener_.on_damage(decoded.timestamp);
  last_timestamp_ = std::max(last_timestamp_, decoded.timestamp);
  frame.sample_aspect_ratio = av_guess_sample_aspect_ratio(&input_.format(), &stream_, &frame);
  frame.pts = decoded.timestamp;
  frame.pkt_duration = decoded.duration;
  if (deinterlacer_) {
    deinterlacer_->push(frame, [this](av::Frame whole) { deinterlaced(std::move(whole)); });
  } else {
    listener_.on_picture(std::move(decoded));
  }
}

void PictureStream::deinterlaced(av::Frame frame) {
  const int64_t timestamp = frame->pts;
  const int64_t duration = frame->pkt_duration;
  listener_.on_picture({std::move(frame), timestamp, duration});
}

}  // namespace millrace::media
