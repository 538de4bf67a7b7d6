#include "media/aac_encoder.h"

#include <algorithm>
#include <utility>

#include "av/error.h"

extern "C" {
#include <libavutil/channel_layout.h>
}

namespace millrace::media {

AacEncoder::AacEncoder(const AudioPlan& plan, OnPacket on_packet)
    : on_packet_(std::move(on_packet)), fifo_(static_cast<size_t>(plan.channels)) {
  const AVCodec* codec =
      av::check_ptr(avcodec_find_encoder(AV_CODEC_ID_AAC), "find the AAC encoder");
  codec_.reset(av::check_ptr(avcodec_alloc_context3(codec), "allocate the AAC encoder"));
  codec_->sample_fmt = AV_SAMPLE_FMT_FLTP;
  codec_->sample_rate = plan.sample_rate_hz;
  codec_->time_base = {1, plan.sample_rate_hz};
  codec_->bit_rate = plan.bitrate_bps;
  codec_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  av_channel_layout_default(&codec_->ch_layout, plan.channels);
  av::check(avcodec_open2(codec_.get(), codec, nullptr), "open the AAC encoder");
}

std::vector<uint8_t> AacEncoder::config() const {
  return {codec_->extradata, codec_->extradata + codec_->extradata_size};
}

void AacEncoder::add(const Samples& samples) {
  for (size_t channel = 0; channel < fifo_.size(); ++channel) {
    fifo_[channel].insert(fifo_[channel].end(), samples[channel].begin(), samples[channel].end());
  }
  while (fifo_.front().size() >= kFrameSamples) encode_frame(kFrameSamples);
}

void AacEncoder::finish() {
  if (!fifo_.front().empty()) encode_frame(fifo_.front().size());
  av::check(avcodec_send_frame(codec_.get(), nullptr), "finish the AAC encoding");
  drain();
}

void AacEncoder::encode_frame(size_t count) {
  av::Frame frame = av::make_frame();
  frame->nb_samples = static_cast<int>(count);
  frame->format = codec_->sample_fmt;
  frame->sample_rate = codec_->sample_rate;
  av::check(av_channel_layout_copy(&frame->ch_layout, &codec_->ch_layout), "copy the layout");
  av::check(av_frame_get_buffer(frame.get(), 0), "allocate samples");
  frame->pts = next_sample_;
  next_sample_ += static_cast<int64_t>(count);
  for (size_t channel = 0; channel < fifo_.size(); ++channel) {
    auto& waiting = fifo_[channel];
    const auto end = waiting.begin() + static_cast<std::ptrdiff_t>(count);
    std::copy(waiting.begin(), end, reinterpret_cast<float*>(frame->extended_data[channel]));
    waiting.erase(waiting.begin(), end);
  }
  av::check(avcodec_send_frame(codec_.get(), frame.get()), "encode AAC");
  drain();
}

void AacEncoder::drain() {
  const av::Packet packet = av::make_packet();
  for (;;) {
    const int rc = avcodec_receive_packet(codec_.get(), packet.get());
    if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) return;
    av::check(rc, "take an AAC packet");
    // The first packet (pts −1024) only primes the decoder. Without it the first 21 ms fade in,
    // and no edit list is needed for sound and picture to start together.
    if (packet->pts >= 0) {
      on_packet_(packet->pts / kFrameSamples, {packet->data, packet->data + packet->size});
    }
    av_packet_unref(packet.get());
  }
}

}  // namespace millrace::media
