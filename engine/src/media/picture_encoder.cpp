#include "media/picture_encoder.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "av/error.h"
#include "media/encoder_settings.h"
#include "millrace/engine.h"

extern "C" {
#include <libavutil/mathematics.h>
}

namespace millrace::media {

namespace {

/// What the first pass left; libx264 and libx265 read it again by themselves.
std::string read_statistics(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file || content.str().empty()) {
    throw std::invalid_argument("job: video.pass.stats: the first pass left nothing at " + path);
  }
  return content.str();
}

}  // namespace

AVPixelFormat picture_format(int depth) {
  return depth > 8 ? AV_PIX_FMT_YUV420P10 : AV_PIX_FMT_YUV420P;
}

PictureEncoder::PictureEncoder(Options options, OnPacket on_packet)
    : options_(std::move(options)), on_packet_(std::move(on_packet)) {
  const char* name = encoder_name(*options_.video.codec);
  const AVCodec* codec = avcodec_find_encoder_by_name(name);
  if (codec == nullptr) {
    throw EngineError(Reason::UnsupportedCodec,
                      std::string{"This build of libavcodec has no "} + name + ".");
  }
  codec_.reset(av::check_ptr(avcodec_alloc_context3(codec), "allocate a video encoder"));
  set_format();
  set_rate();
  if (options_.video.pass) set_pass();
  open();
}

void PictureEncoder::set_format() {
  codec_->width = options_.width;
  codec_->height = options_.height;
  codec_->pix_fmt = picture_format(options_.video.pixel_depth);
  codec_->sample_aspect_ratio = options_.sample_aspect;
  codec_->time_base = options_.time_base;
  codec_->framerate = options_.frame_rate;
  codec_->color_primaries = options_.color.primaries;
  codec_->color_trc = options_.color.transfer;
  codec_->colorspace = options_.color.matrix;
  codec_->color_range = options_.color.range;
  codec_->chroma_sample_location = AVCHROMA_LOC_LEFT;
  // For libx265 this would be the pictures side by side; it is told of its threads otherwise.
  if (options_.video.codec != AV_CODEC_ID_HEVC) codec_->thread_count = options_.threads;
  codec_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_CLOSED_GOP;
  if (options_.video.codec == AV_CODEC_ID_VP9) {
    // libvpx counts a picture's length in these: its budget of bits follows from them.
    const double ticks = 1 / (av_q2d(options_.time_base) * av_q2d(options_.frame_rate));
    codec_->ticks_per_frame = static_cast<int>(std::clamp(std::round(ticks), 1.0, 1e8));
  }
}

void PictureEncoder::set_rate() {
  codec_->bit_rate = options_.video.bitrate_bps;
  const double pictures = options_.video.key_frame_interval_s * av_q2d(options_.frame_rate);
  codec_->gop_size = static_cast<int>(std::clamp(std::round(pictures), 1.0, 10'000.0));
}

void PictureEncoder::set_pass() {
  const PassPlan& pass = *options_.video.pass;
  if (options_.video.codec == AV_CODEC_ID_AV1) return;  // SVT-AV1 has one pass here
  if (pass.number == 2) statistics_ = read_statistics(pass.stats);
  if (options_.video.codec == AV_CODEC_ID_HEVC) return;  // told by its own options
  codec_->flags |= pass.number == 1 ? AV_CODEC_FLAG_PASS1 : AV_CODEC_FLAG_PASS2;
  if (pass.number == 2 && options_.video.codec == AV_CODEC_ID_VP9) {
    codec_->stats_in = statistics_.data();
  }
}

void PictureEncoder::open() {
  av::Dictionary options;
  set_encoder_options(options_, options);
  const int rc = avcodec_open2(codec_.get(), codec_->codec, options.out());
  if (rc >= 0) return;
  if (rc == AVERROR(ENOMEM)) av::check(rc, "open the video encoder");
  const std::string size = std::to_string(options_.width) + "x" + std::to_string(options_.height);
  throw EngineError(Reason::UnsupportedCodec, std::string{"The encoder "} + codec_->codec->name +
                                                  " refused the settings for " + size + " (" +
                                                  av::describe(rc) +
                                                  "). Its own words are in the log.");
}

/// Encoders count key frames in pictures, which last unequally long.
bool PictureEncoder::due_for_key_frame(int64_t time) {
  const double since_s =
      last_key_time_ == AV_NOPTS_VALUE
          ? options_.video.key_frame_interval_s
          : static_cast<double>(time - last_key_time_) * av_q2d(options_.time_base);
  // SVT-AV1 takes no wishes for single pictures.
  if (since_s < options_.video.key_frame_interval_s || options_.video.codec == AV_CODEC_ID_AV1) {
    return false;
  }
  last_key_time_ = time;
  return true;
}

void PictureEncoder::encode(const AVFrame& picture, int64_t time, int64_t duration) {
  const av::Frame frame = av::clone(picture);
  frame->pts = time;
  frame->pict_type = due_for_key_frame(time) ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
  frame->interlaced_frame = 0;
  frame->sample_aspect_ratio = options_.sample_aspect;
  frame->color_primaries = options_.color.primaries;
  frame->color_trc = options_.color.transfer;
  frame->colorspace = options_.color.matrix;
  frame->color_range = options_.color.range;
  frame->chroma_location = AVCHROMA_LOC_LEFT;
  durations_[time] = duration;
  av::check(avcodec_send_frame(codec_.get(), frame.get()), "encode a picture");
  drain();
}

void PictureEncoder::finish() {
  av::check(avcodec_send_frame(codec_.get(), nullptr), "finish the encoding");
  drain();
  if (options_.video.pass && options_.video.pass->number == 1) save_statistics();
}

void PictureEncoder::drain() {
  const bool hides_pictures =
      options_.video.codec == AV_CODEC_ID_AV1 || options_.video.codec == AV_CODEC_ID_VP9;
  const av::Packet packet = av::make_packet();
  for (;;) {
    const int rc = avcodec_receive_packet(codec_.get(), packet.get());
    if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) return;
    av::check(rc, "take a coded picture");
    // What these decode early is inside the packets; SVT-AV1 counts its decoding times in pictures.
    if (hides_pictures) packet->dts = packet->pts;
    if (const auto found = durations_.find(packet->pts); found != durations_.end()) {
      packet->duration = found->second;
      durations_.erase(found);
    }
    ++packets_;
    on_packet_(*packet);
    av_packet_unref(packet.get());
  }
}

void PictureEncoder::save_statistics() const {
  if (codec_->stats_out == nullptr || options_.video.codec != AV_CODEC_ID_VP9) return;
  std::ofstream file(options_.video.pass->stats, std::ios::binary | std::ios::trunc);
  file << codec_->stats_out;
  file.close();
  if (!file)
    throw EngineError(Reason::OutputFailed, "The first pass's statistics cannot be written.");
}

}  // namespace millrace::media
