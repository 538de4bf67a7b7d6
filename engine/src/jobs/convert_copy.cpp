#include "jobs/convert_copy.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "av/error.h"

namespace millrace::jobs {

namespace {

constexpr int64_t kNoEnd = std::numeric_limits<int64_t>::max();
constexpr int kPrimingPackets = 2;  ///< of sound, that a decoder may need before the first sample
constexpr size_t kMostReordering = 32;  ///< no codec's pictures wait for more of them

void require_supported(const ConvertContext& context, const AVStream& stream) {
  const AVCodecID codec = stream.codecpar->codec_id;
  if (codec != AV_CODEC_ID_NONE && context.muxer.accepts(codec)) return;
  throw EngineError(Reason::UnsupportedCodec,
                    "Stream " + std::to_string(stream.index) + " (" + avcodec_get_name(codec) +
                        ") cannot be copied into " + media::container_name(context.job.container) +
                        ".");
}

/// How the picture is turned, HDR, gain: what lies beside the parameters.
void copy_side_data(const AVStream& from, AVStream& to) {
  for (int n = 0; n < from.nb_side_data; ++n) {
    const AVPacketSideData& side = from.side_data[n];
    uint8_t* bytes = av::check_ptr(av_stream_new_side_data(&to, side.type, side.size),
                                   "copy a stream's description");
    std::memcpy(bytes, side.data, side.size);
  }
}

/// When reordered pictures are shown cannot be told from when they are decoded.
[[noreturn]] void refuse_untimed(const AVStream& stream) {
  throw EngineError(Reason::UnsupportedCodec,
                    "Stream " + std::to_string(stream.index) +
                        " cannot be copied: its container does not tell when its pictures are "
                        "shown. Encode it instead.");
}

}  // namespace

ConvertCopyTrack::ConvertCopyTrack(const ConvertContext& context, int stream)
    : ConvertTrack(context, stream),
      zero_(context.range.zero(context.input, source_.time_base)),
      end_(context.range.end_s ? std::llround(*context.range.length_s() / av_q2d(source_.time_base))
                               : kNoEnd) {
  require_supported(context, source_);
  describe_stream();
}

void ConvertCopyTrack::describe_stream() {
  output_ = &context_.muxer.add_stream();
  av::check(avcodec_parameters_copy(output_->codecpar, source_.codecpar), "describe a copy");
  output_->codecpar->codec_tag = 0;  // each container has its own
  const bool mp4 = context_.job.container == media::OutputContainer::Mp4;
  if (mp4 && source_.codecpar->codec_id == AV_CODEC_ID_HEVC) {
    output_->codecpar->codec_tag = MKTAG('h', 'v', 'c', '1');
  }
  output_->time_base = source_.time_base;
  output_->sample_aspect_ratio = source_.sample_aspect_ratio;
  output_->avg_frame_rate = source_.avg_frame_rate;
  output_->r_frame_rate = source_.r_frame_rate;
  copy_side_data(source_, *output_);
}

void ConvertCopyTrack::shift(AVPacket& packet) {
  if (packet.pts != AV_NOPTS_VALUE) packet.pts -= zero_;
  if (packet.dts != AV_NOPTS_VALUE) packet.dts -= zero_;
  const bool reorders = source_.codecpar->video_delay > 0;
  // A single one is damage.
  if (reorders && packet.pts == AV_NOPTS_VALUE && packets_ == 0) refuse_untimed(source_);
  if (reorders && packet.pts != AV_NOPTS_VALUE) return;
  if (packet.dts == AV_NOPTS_VALUE) packet.dts = packet.pts;
  if (packet.dts == AV_NOPTS_VALUE) packet.dts = next_time_;
  if (packet.pts == AV_NOPTS_VALUE) packet.pts = packet.dts;
  if (packet.dts != AV_NOPTS_VALUE) next_time_ = packet.dts + packet.duration;
}

/// Of sound that begins before zero, what is heard after it or prepares the decoder for that. MP4's
/// edit list hides the latter. Matroska's times do not go below zero: what is partly heard moves
/// everything by that much, what is not is left out.
bool ConvertCopyTrack::may_lead(const AVPacket& packet) const {
  constexpr double kRoundingS = 0.0005;
  const AVCodecParameters& codec = *source_.codecpar;
  const double before_s = -static_cast<double>(packet.pts) * av_q2d(source_.time_base);
  if (before_s <= kRoundingS) return true;
  if (context_.range.start_s > 0 || codec.sample_rate <= 0) return false;
  // What a packet says of itself may have a gap behind it in it.
  const double length_s = codec.frame_size > 0
                              ? static_cast<double>(codec.frame_size) / codec.sample_rate
                              : static_cast<double>(packet.duration) * av_q2d(source_.time_base);
  const bool hides = context_.job.container == media::OutputContainer::Mp4;
  return hides ? before_s <= kPrimingPackets * length_s : before_s + kRoundingS < length_s;
}

/// From the key frame at zero on, without the pictures that are shown before it: they need what is
/// left out.
bool ConvertCopyTrack::video_begins(const AVPacket& packet) {
  if (context_.range.start_s <= 0) return true;
  const bool shown_before_zero = packet.pts != AV_NOPTS_VALUE && packet.pts < -1;
  if (!started_) started_ = (packet.flags & AV_PKT_FLAG_KEY) != 0 && !shown_before_zero;
  return started_ && !shown_before_zero;
}

/// What is shown after the end is kept back until something follows that is shown before it and
/// may need it. Once decoding times have reached the end nothing does.
void ConvertCopyTrack::take_video(AVPacket& packet) {
  if (!video_begins(packet)) return;
  done_ = packet.dts != AV_NOPTS_VALUE && packet.dts >= end_;
  if (done_) return kept_.clear();
  if (packet.pts != AV_NOPTS_VALUE && packet.pts >= end_) {
    kept_.push_back(av::make_packet());
    av_packet_move_ref(kept_.back().get(), &packet);
    done_ = kept_.size() > kMostReordering;
    return;
  }
  for (const av::Packet& needed : kept_) write(*needed);
  kept_.clear();
  write(packet);
}

/// A subtitle that stands at the beginning or the end is cut there.
bool ConvertCopyTrack::subtitle_belongs(AVPacket& packet) const {
  if (packet.pts == AV_NOPTS_VALUE || packet.pts >= end_) return false;
  if (packet.pts < 0) {
    if (packet.duration <= 0 || packet.pts + packet.duration <= 0) return false;
    packet.duration += packet.pts;
    packet.pts = packet.dts = 0;
  }
  if (end_ != kNoEnd) packet.duration = std::min(packet.duration, end_ - packet.pts);
  return true;
}

bool ConvertCopyTrack::belongs(const AVPacket& packet) {
  if (packet.pts != AV_NOPTS_VALUE && packet.pts >= end_) {
    done_ = true;
    return false;
  }
  return packet.pts == AV_NOPTS_VALUE || packet.pts >= 0 || may_lead(packet);
}

/// Containers refuse decoding times that do not rise.
void ConvertCopyTrack::order(AVPacket& packet) {
  if (packet.dts == AV_NOPTS_VALUE) return;
  if (last_dts_ != AV_NOPTS_VALUE && packet.dts <= last_dts_) {
    packet.dts = last_dts_ + 1;
    if (packet.pts != AV_NOPTS_VALUE) packet.pts = std::max(packet.pts, packet.dts);
  }
  last_dts_ = packet.dts;
}

void ConvertCopyTrack::take(AVPacket& packet) {
  if (done_) return;
  shift(packet);
  const AVMediaType type = source_.codecpar->codec_type;
  if (type == AVMEDIA_TYPE_VIDEO) return take_video(packet);
  if (type == AVMEDIA_TYPE_SUBTITLE) {
    done_ = packet.pts != AV_NOPTS_VALUE && packet.pts >= end_;
    if (subtitle_belongs(packet)) write(packet);
  } else if (belongs(packet)) {
    write(packet);
  }
}

void ConvertCopyTrack::write(AVPacket& packet) {
  order(packet);
  ++packets_;
  if (packet.pts != AV_NOPTS_VALUE) {
    position_s_.store(static_cast<double>(packet.pts) * av_q2d(source_.time_base),
                      std::memory_order_relaxed);
  }
  context_.muxer.write(packet, *output_, source_.time_base);
}

}  // namespace millrace::jobs
