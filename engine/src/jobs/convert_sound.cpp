#include "jobs/convert_sound.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "av/error.h"

extern "C" {
#include <libavutil/mathematics.h>
}

namespace millrace::jobs {

namespace {

const AVStream& require_sound(const AVStream& stream) {
  if (stream.codecpar->codec_type == AVMEDIA_TYPE_AUDIO) return stream;
  throw std::invalid_argument("job: audio: stream " + std::to_string(stream.index) +
                              " of the source is no sound");
}

/// The source's where it is one that players know (the arrangement of others differs by codec), the
/// next larger usual one otherwise.
int channel_count(const media::ConvertAudio& audio, const AVStream& stream) {
  if (audio.channels > 0) return audio.channels;
  const AVChannelLayout& layout = require_sound(stream).codecpar->ch_layout;
  const bool known = layout.order == AV_CHANNEL_ORDER_NATIVE;
  if (layout.nb_channels <= 2 || !known) return std::clamp(layout.nb_channels, 1, 2);
  return layout.nb_channels == 8 ? 8 : 6;
}

/// MP4's edit list and Opus' codec delay say what is not to be heard; Matroska has nothing of the
/// kind for AAC.
bool tells_priming(const ConvertContext& context, AVCodecID codec) {
  return codec == AV_CODEC_ID_OPUS || context.job.container == media::OutputContainer::Mp4;
}

int64_t most_samples(const ConvertRange& range, int sample_rate_hz) {
  const auto length_s = range.length_s();
  return length_s ? std::llround(*length_s * sample_rate_hz) : std::numeric_limits<int64_t>::max();
}

}  // namespace

ConvertSoundTrack::ConvertSoundTrack(const ConvertContext& context,
                                     const media::ConvertAudio& audio)
    : ConvertTrack(context, audio.stream),
      channels_(channel_count(audio, require_sound(source_))),
      sample_rate_hz_(media::encoded_sample_rate(*audio.codec, source_.codecpar->sample_rate)),
      most_samples_(most_samples(context.range, sample_rate_hz_)),
      damage_(context.report, source_.index, "DAMAGED_SOUND",
              "Sound is damaged here; silence stands in for it."),
      encoder_(*audio.codec, channels_, sample_rate_hz_, audio.bitrate_bps,
               tells_priming(context, *audio.codec),
               [this](AVPacket& packet) {
                 context_.muxer.write(packet, *output_, encoder_.time_base());
               }),
      timeline_(channels_, sample_rate_hz_,
                [this](const media::Samples& samples) { add(samples); }),
      decoder_(source_, media::Decoder::Options{}) {
  describe_stream();
}

void ConvertSoundTrack::describe_stream() {
  output_ = &context_.muxer.add_stream();
  av::check(avcodec_parameters_from_context(output_->codecpar, &encoder_.context()),
            "describe the sound");
  if (!tells_priming(context_, encoder_.context().codec_id)) output_->codecpar->initial_padding = 0;
  output_->time_base = encoder_.time_base();
}

/// In two steps, so that a start between two ticks of a coarse clock is kept.
int64_t ConvertSoundTrack::output_samples(int64_t timestamp) const {
  const int64_t origin = context_.range.origin(context_.input, source_.time_base);
  const int64_t since_origin =
      av_rescale_q(timestamp - origin, source_.time_base, encoder_.time_base());
  return since_origin - std::llround(context_.range.start_s * sample_rate_hz_);
}

void ConvertSoundTrack::take(AVPacket& packet) {
  if (!done()) decode(&packet);
}

void ConvertSoundTrack::decode(const AVPacket* packet) {
  const int64_t errors_before = decoder_.errors();
  decoder_.decode(packet, [this](const media::TimedFrame& frame) { return take_decoded(frame); });
  if (decoder_.errors() > errors_before) damage_.note(position_s());
}

bool ConvertSoundTrack::take_decoded(const media::TimedFrame& decoded) {
  const int64_t time = output_samples(decoded.timestamp);
  const double time_s = static_cast<double>(time) / sample_rate_hz_ + context_.range.start_s;
  if (context_.limits.max_duration_s > 0 && time_s > context_.limits.max_duration_s) {
    throw EngineError(Reason::LimitExceeded, "The sound is longer than is allowed.", time_s);
  }
  // Silence up to there would be all that comes.
  timeline_.push(*decoded.frame, std::min(time, most_samples_));
  return !done();
}

void ConvertSoundTrack::add(const media::Samples& samples) {
  const auto count = static_cast<int64_t>(samples.front().size());
  const int64_t room = most_samples_ - samples_;
  if (room <= 0) return;
  if (count <= room) {
    encoder_.add(samples);
  } else {
    media::Samples part = samples;
    for (auto& channel : part) channel.resize(static_cast<size_t>(room));
    encoder_.add(part);
  }
  samples_ += std::min(count, room);
  position_s_.store(static_cast<double>(samples_) / sample_rate_hz_, std::memory_order_relaxed);
}

bool ConvertSoundTrack::done() const {
  return samples_ >= most_samples_;
}

void ConvertSoundTrack::finish() {
  if (!done()) {
    decode(nullptr);
    timeline_.finish(0);
  }
  if (decoder_.frames() == 0) {
    context_.report.warn("AUDIO_UNDECODABLE", "No sound of this stream could be decoded.",
                         source_.index, 0);
  }
  encoder_.finish();
}

nlohmann::ordered_json ConvertSoundTrack::result() const {
  return {{"stream", source_.index},
          {"codec", avcodec_get_name(encoder_.context().codec_id)},
          {"channels", channels_},
          {"sample_rate_hz", sample_rate_hz_},
          {"duration_s", seconds(static_cast<double>(samples_) / sample_rate_hz_)}};
}

}  // namespace millrace::jobs
