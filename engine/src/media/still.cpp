#include "media/still.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "av/error.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace millrace::media {

namespace {

constexpr double kBlackBelow = 0.06;  // mean luma: titles on black are brighter
constexpr int kDecoderThreads = 2;

double shape_of(const VideoFacts& facts) {
  return static_cast<double>(facts.display_width) / facts.display_height;
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

StillFinder::StillFinder(Input& input, int64_t max_pixels, int width, int height)
    : input_(input),
      stream_index_(input.best_video_stream()),
      stream_(input.stream(stream_index_)),
      facts_(video_facts(input.format(), stream_)),
      origin_(input.origin(stream_index_, stream_.time_base)),
      normaliser_(facts_, stream_.time_base, fit(shape_of(facts_), width, height).width,
                  fit(shape_of(facts_), width, height).height),
      decoder_(stream_, {kDecoderThreads, max_pixels, false}) {
  input_.select_stream(stream_index_);
}

double StillFinder::time_of(int64_t timestamp) const {
  return static_cast<double>(timestamp - origin_) * av_q2d(stream_.time_base);
}

/// The frame nearest to `target` among those from the present position on.
std::optional<TimedFrame> StillFinder::decode_near(int64_t target, bool must_not_be_late) {
  std::optional<TimedFrame> before;
  bool too_late = false;
  const auto take = [&](TimedFrame frame) {
    too_late = !before && must_not_be_late && frame.timestamp > target;
    const bool nearer =
        !before || std::abs(frame.timestamp - target) <= std::abs(before->timestamp - target);
    const bool past = frame.timestamp >= target;
    if (nearer && !too_late) before = std::move(frame);
    return !past;
  };
  decoder_.flush();
  const av::Packet packet = av::make_packet();
  bool more = true;
  while (more && input_.read(*packet)) more = decoder_.decode(packet.get(), take);
  if (more) decoder_.decode(nullptr, take);
  if (too_late) return std::nullopt;
  return before;
}

StillFinder::Still StillFinder::nearest(double time_s) {
  const double length_s = input_.duration_s(stream_index_);
  const double wanted_s = length_s > 0 ? std::min(time_s, length_s) : time_s;
  const auto ticks = [this](double s) {
    return static_cast<int64_t>(std::llround(s / av_q2d(stream_.time_base)));
  };
  const int64_t target = origin_ + ticks(wanted_s);
  std::optional<TimedFrame> found;
  for (const double margin_s : {0.0, 2.0, 15.0}) {
    if (wanted_s <= margin_s) break;
    if (input_.seek(stream_index_, target - ticks(margin_s))) found = decode_near(target, true);
    if (found) break;
  }
  if (!found) {
    input_.rewind();
    found = decode_near(target, false);
  }
  if (!found) {
    throw EngineError(Reason::Corrupt,
                      "No picture of the video could be decoded. Upload it again or re-export it.",
                      wanted_s);
  }
  found->frame->sample_aspect_ratio =
      av_guess_sample_aspect_ratio(&input_.format(), &stream_, found->frame.get());
  found->frame->pts = found->timestamp;
  const double found_s = time_of(found->timestamp);
  return {normaliser_.apply(av::share(std::move(found->frame))), found_s};
}

StillFinder::Still StillFinder::nearest_not_black(double time_s) {
  Still best = nearest(time_s);
  double best_brightness = brightness(*best.picture);
  const double length_s = input_.duration_s(stream_index_);
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

Png make_png(const AVFrame& picture, const ColorTags& color, int width, int height) {
  const AVRational aspect = picture.sample_aspect_ratio;
  const double pixel = aspect.num > 0 && aspect.den > 0 ? av_q2d(aspect) : 1.0;
  const double shape = picture.width * pixel / picture.height;
  const Size size = fit(shape, width, height);
  return {encode_png(*to_rgb(picture, color, size.width, size.height)), size.width, size.height};
}

}  // namespace millrace::media
