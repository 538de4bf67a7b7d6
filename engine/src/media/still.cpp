#include "media/still.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "av/error.h"
#include "media/filter_chain.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace millrace::media {

namespace {

constexpr double kBlackBelow = 0.06;  // mean luma: titles on black are brighter

double shape_of(const AVFrame& picture) {
  const AVRational aspect = picture.sample_aspect_ratio;
  const double pixel = aspect.num > 0 && aspect.den > 0 ? av_q2d(aspect) : 1.0;
  return picture.width * pixel / picture.height;
}

av::Frame to_rgb(const AVFrame& picture, const ColorTags& color, int width, int height) {
  av::Frame rgb = av::make_picture(AV_PIX_FMT_RGB24, width, height);
  const av::Sws sws{av::check_ptr(
      sws_getContext(picture.width, picture.height, static_cast<AVPixelFormat>(picture.format),
                     width, height, AV_PIX_FMT_RGB24,
                     SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr, nullptr,
                     nullptr),
      "set up the picture conversion")};
  constexpr int kUnity = 1 << 16;
  sws_setColorspaceDetails(sws.get(), sws_getCoefficients(color.matrix), is_full_range(picture),
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, kUnity, kUnity);
  av::check(sws_scale(sws.get(), picture.data, picture.linesize, 0, picture.height, rgb->data,
                      rgb->linesize),
            "convert a picture");
  return rgb;
}

/// One picture alone cannot tell what moved between its fields: one field makes the whole picture.
av::Frame without_combs(av::Frame frame, AVRational time_base) {
  constexpr int kFewestLines = 4;
  if (frame->interlaced_frame == 0 || frame->height < kFewestLines) return frame;
  FilterChain chain("estdif=mode=frame", time_base);
  av::Frame whole;
  const auto keep = [&whole](av::Frame made) { whole = std::move(made); };
  chain.push(*frame, keep);
  chain.finish(keep);
  return whole ? std::move(whole) : std::move(frame);
}

Normaliser make_normaliser(Input& input, int stream, Size box) {
  const VideoFacts facts = video_facts(input.format(), input.stream(stream));
  const Size size = fit(shape_of(facts), box.width, box.height);
  return {facts, input.stream(stream).time_base, size.width, size.height};
}

std::vector<uint8_t> encode_png(const AVFrame& rgb) {
  const AVCodec* encoder = av::check_ptr(avcodec_find_encoder(AV_CODEC_ID_PNG), "find PNG");
  const av::Codec codec{av::check_ptr(avcodec_alloc_context3(encoder), "allocate PNG")};
  codec->width = rgb.width;
  codec->height = rgb.height;
  codec->pix_fmt = AV_PIX_FMT_RGB24;
  codec->time_base = {1, 25};
  codec->compression_level = 1;  // an intermediate: quick rather than small
  codec->thread_count = 1;
  av::check(avcodec_open2(codec.get(), encoder, nullptr), "open PNG");
  av::check(avcodec_send_frame(codec.get(), &rgb), "encode PNG");
  const av::Packet packet = av::make_packet();
  av::check(avcodec_send_frame(codec.get(), nullptr), "finish PNG");
  av::check(avcodec_receive_packet(codec.get(), packet.get()), "take PNG");
  return {packet->data, packet->data + packet->size};
}

}  // namespace

double shape_of(const VideoFacts& facts) {
  return static_cast<double>(facts.display_width) / facts.display_height;
}

StillFinisher::StillFinisher(Input& input, int stream, Size box)
    : time_base_(input.stream(stream).time_base),
      aspect_(av_guess_sample_aspect_ratio(&input.format(), &input.stream(stream), nullptr)),
      origin_(input.origin(stream, time_base_)),
      normaliser_(make_normaliser(input, stream, box)) {}

Still StillFinisher::finish(TimedFrame frame) {
  if (aspect_.num > 0) frame.frame->sample_aspect_ratio = aspect_;
  frame.frame->pts = frame.timestamp;
  const double time_s = static_cast<double>(frame.timestamp - origin_) * av_q2d(time_base_);
  av::Frame picture = without_combs(std::move(frame.frame), time_base_);
  return {normaliser_.apply(av::share(std::move(picture))), time_s};
}

StillFinder::StillFinder(Input& input, int64_t max_pixels, Size box, int threads)
    : input_(input),
      stream_(input.stream(input.best_video_stream())),
      origin_(input.origin(stream_.index, stream_.time_base)),
      finisher_(input, stream_.index, box),
      cursor_(input, stream_.index, max_pixels, threads),
      key_frames_(input, stream_.index) {
  input_.select_stream(stream_.index);
}

int64_t StillFinder::ticks(double seconds) const {
  return std::llround(seconds / av_q2d(stream_.time_base));
}

int64_t StillFinder::target_of(double time_s) const {
  const double length_s = duration_s();
  return origin_ + ticks(length_s > 0 ? std::min(time_s, length_s) : time_s);
}

Still StillFinder::nearest(double time_s) {
  std::optional<TimedFrame> found = cursor_.nearest(target_of(time_s));
  if (!found) {
    throw EngineError(Reason::Corrupt,
                      "No picture of the video could be decoded. Upload it again or re-export it.",
                      time_s);
  }
  return finisher_.finish(std::move(*found));
}

Still StillFinder::nearest_not_black(double time_s) {
  Still best = nearest(time_s);
  double best_brightness = brightness(*best.picture);
  const double length_s = duration_s();
  for (const double step_s : {1.0, 2.0, 4.0, 8.0, 16.0}) {
    if (best_brightness > kBlackBelow) break;
    if (length_s > 0 && time_s + step_s >= length_s) break;
    Still next = nearest(time_s + step_s);
    const double next_brightness = brightness(*next.picture);
    if (next_brightness <= best_brightness) continue;
    best = std::move(next);
    best_brightness = next_brightness;
  }
  return best;
}

std::shared_ptr<const KeyPackets> StillFinder::key_frame_near(double time_s, double tolerance_s) {
  const int64_t target = target_of(time_s);
  const int64_t tolerance = ticks(tolerance_s);
  if (cursor_.is_on_the_way(target, tolerance)) return nullptr;
  return key_frames_.near(target, tolerance);
}

Size fit(double shape, int width, int height) {
  return {std::clamp(static_cast<int>(std::lround(height * shape)), 1, width),
          std::clamp(static_cast<int>(std::lround(width / shape)), 1, height)};
}

double brightness(const AVFrame& picture) {
  const AVPixFmtDescriptor* pixels =
      av_pix_fmt_desc_get(static_cast<AVPixelFormat>(picture.format));
  const int depth = pixels == nullptr ? 8 : pixels->comp[0].depth;
  constexpr int kStep = 4;
  int64_t total = 0;
  int64_t count = 0;
  for (int y = 0; y < picture.height; y += kStep) {
    const uint8_t* row = picture.data[0] + static_cast<std::ptrdiff_t>(y) * picture.linesize[0];
    for (int x = 0; x < picture.width; x += kStep) {
      total += depth > 8 ? reinterpret_cast<const uint16_t*>(row)[x] >> (depth - 8) : row[x];
      ++count;
    }
  }
  const double mean = count == 0 ? 0 : static_cast<double>(total) / static_cast<double>(count);
  const double floor = is_full_range(picture) ? 0 : 16;
  const double span = is_full_range(picture) ? 255 : 219;
  return std::clamp((mean - floor) / span, 0.0, 1.0);
}

av::Frame to_rgb_inside(const AVFrame& picture, const ColorTags& color, Size box) {
  constexpr int kRounding = 2;
  Size size = fit(shape_of(picture), box.width, box.height);
  if (box.width - size.width <= kRounding) size.width = box.width;
  if (box.height - size.height <= kRounding) size.height = box.height;
  return to_rgb(picture, color, size.width, size.height);
}

Png make_png(const AVFrame& picture, const ColorTags& color, int width, int height) {
  const Size size = fit(shape_of(picture), width, height);
  return {encode_png(*to_rgb(picture, color, size.width, size.height)), size.width, size.height};
}

}  // namespace millrace::media
