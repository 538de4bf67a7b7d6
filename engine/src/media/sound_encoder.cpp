#include "media/sound_encoder.h"

#include <algorithm>
#include <string>
#include <utility>

#include "av/error.h"
#include "millrace/engine.h"

extern "C" {
#include <libavutil/channel_layout.h>
}

namespace millrace::media {

namespace {

const AVCodec* encoder_for(AVCodecID codec) {
  const char* name = codec == AV_CODEC_ID_OPUS ? "libopus" : "aac";
  return av::check_ptr(avcodec_find_encoder_by_name(name), "find the sound encoder");
}

}  // namespace

int encoded_sample_rate(AVCodecID codec, int source_hz) {
  constexpr int kUsual = 48'000;
  if (codec == AV_CODEC_ID_OPUS) return kUsual;
  for (const int* rate = encoder_for(codec)->supported_samplerates; rate != nullptr && *rate != 0;
       ++rate) {
    if (*rate == source_hz) return source_hz;
  }
  return kUsual;
}

SoundEncoder::SoundEncoder(AVCodecID codec, int channels, int sample_rate_hz, int64_t bitrate_bps,
                           bool with_priming, OnPacket on_packet)
    : on_packet_(std::move(on_packet)),
      with_priming_(with_priming),
      waiting_(static_cast<size_t>(channels)) {
  const AVCodec* encoder = encoder_for(codec);
  codec_.reset(av::check_ptr(avcodec_alloc_context3(encoder), "allocate the sound encoder"));
  codec_->sample_fmt = codec == AV_CODEC_ID_OPUS ? AV_SAMPLE_FMT_FLT : AV_SAMPLE_FMT_FLTP;
  codec_->sample_rate = sample_rate_hz;
  codec_->time_base = {1, sample_rate_hz};
  codec_->bit_rate = bitrate_bps;
  codec_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  av_channel_layout_default(&codec_->ch_layout, channels);
  const int rc = avcodec_open2(codec_.get(), encoder, nullptr);
  if (rc >= 0) return;
  throw EngineError(Reason::UnsupportedCodec, std::string{"The encoder "} + encoder->name +
                                                  " refused " + std::to_string(channels) +
                                                  " channels at " + std::to_string(sample_rate_hz) +
                                                  " Hz (" + av::describe(rc) + ").");
}

void SoundEncoder::add(const Samples& samples) {
  for (size_t channel = 0; channel < waiting_.size(); ++channel) {
    waiting_[channel].insert(waiting_[channel].end(), samples[channel].begin(),
                             samples[channel].end());
  }
  const auto whole = static_cast<size_t>(codec_->frame_size);
  while (waiting_.front().size() >= whole) encode(whole);
}

void SoundEncoder::finish() {
  if (!waiting_.front().empty()) encode(waiting_.front().size());
  av::check(avcodec_send_frame(codec_.get(), nullptr), "finish the sound");
  drain();
}

void SoundEncoder::fill(AVFrame& frame, size_t count) {
  const size_t channels = waiting_.size();
  for (size_t channel = 0; channel < channels; ++channel) {
    const auto& from = waiting_[channel];
    if (codec_->sample_fmt == AV_SAMPLE_FMT_FLTP) {
      std::copy_n(from.begin(), count, reinterpret_cast<float*>(frame.extended_data[channel]));
      continue;
    }
    auto* into = reinterpret_cast<float*>(frame.extended_data[0]);
    for (size_t n = 0; n < count; ++n) into[n * channels + channel] = from[n];
  }
}

void SoundEncoder::encode(size_t count) {
  const av::Frame frame = av::make_frame();
  frame->nb_samples = static_cast<int>(count);
  frame->format = codec_->sample_fmt;
  frame->sample_rate = codec_->sample_rate;
  av::check(av_channel_layout_copy(&frame->ch_layout, &codec_->ch_layout), "copy the layout");
  av::check(av_frame_get_buffer(frame.get(), 0), "allocate samples");
  fill(*frame, count);
  for (auto& channel : waiting_) {
    channel.erase(channel.begin(), channel.begin() + static_cast<std::ptrdiff_t>(count));
  }
  frame->pts = next_sample_;
  next_sample_ += static_cast<int64_t>(count);
  av::check(avcodec_send_frame(codec_.get(), frame.get()), "encode sound");
  drain();
}

void SoundEncoder::drain() {
  const av::Packet packet = av::make_packet();
  for (;;) {
    const int rc = avcodec_receive_packet(codec_.get(), packet.get());
    if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) return;
    av::check(rc, "take a packet of sound");
    if (packet->pts >= 0 || with_priming_) on_packet_(*packet);
    av_packet_unref(packet.get());
  }
}

}  // namespace millrace::media
