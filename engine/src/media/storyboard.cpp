#include "media/storyboard.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <utility>

#include "av/error.h"

namespace millrace::media {

namespace {

constexpr double kIntervalStepS = 0.5;
constexpr double kShortestIntervalS = 0.5;
constexpr double kUsualIntervalS = 2;
constexpr double kLongestUsefulSpacingS = 10;
constexpr double kFewTiles = 20;
constexpr int kBytesPerPixel = 3;
constexpr int kJpegQuality = 4;  // quantiser scale, 2 (best) to 31

/// As often as the picture is likely to change and a key frame is there to show it.
double usual_interval_s(double duration_s, double key_frame_spacing_s) {
  const double least_s = std::clamp(duration_s / kFewTiles, kShortestIntervalS, kUsualIntervalS);
  const double spacing_s = std::min(key_frame_spacing_s, kLongestUsefulSpacingS);
  const double useful_s = duration_s / kFewTiles < spacing_s ? least_s : spacing_s;
  return std::ceil(std::max(least_s, useful_s) / kIntervalStepS) * kIntervalStepS;
}

double whole_ms(double seconds) {
  return std::ceil(seconds * 1000) / 1000;
}

int even(int length) {
  return std::max(2, length + length % 2);
}

std::string clock(double seconds) {
  const int64_t ms = std::llround(seconds * 1000);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%02" PRId64 ":%02" PRId64 ":%02" PRId64 ".%03" PRId64,
                ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
  return text.data();
}

/// `part` at (`x`, `y`) of `whole`, both RGB.
void paste(AVFrame& whole, const AVFrame& part, int x, int y) {
  for (int row = 0; row < part.height; ++row) {
    uint8_t* to = whole.data[0] + std::ptrdiff_t{y + row} * whole.linesize[0] +
                  std::ptrdiff_t{x} * kBytesPerPixel;
    const uint8_t* from = part.data[0] + std::ptrdiff_t{row} * part.linesize[0];
    std::memcpy(to, from, static_cast<size_t>(part.width) * kBytesPerPixel);
  }
}

/// The upper left part of an RGB picture as JPEG has it: BT.601, full range, 4:2:0.
av::Frame to_jpeg_pixels(const AVFrame& rgb, int width, int height) {
  av::Frame picture = av::make_picture(AV_PIX_FMT_YUVJ420P, width, height);
  const av::Sws sws{av::check_ptr(
      sws_getContext(width, height, AV_PIX_FMT_RGB24, width, height, AV_PIX_FMT_YUVJ420P,
                     SWS_BICUBIC | SWS_ACCURATE_RND, nullptr, nullptr, nullptr),
      "set up the sprite's conversion")};
  constexpr int kUnity = 1 << 16;
  const int* matrix = sws_getCoefficients(SWS_CS_ITU601);
  sws_setColorspaceDetails(sws.get(), matrix, 1, matrix, 1, 0, kUnity, kUnity);
  av::check(
      sws_scale(sws.get(), rgb.data, rgb.linesize, 0, height, picture->data, picture->linesize),
      "convert a sprite");
  picture->quality = kJpegQuality * FF_QP2LAMBDA;
  return picture;
}

std::vector<uint8_t> encode_jpeg(const AVFrame& picture) {
  const AVCodec* encoder = av::check_ptr(avcodec_find_encoder(AV_CODEC_ID_MJPEG), "find JPEG");
  const av::Codec codec{av::check_ptr(avcodec_alloc_context3(encoder), "allocate JPEG")};
  codec->width = picture.width;
  codec->height = picture.height;
  codec->pix_fmt = AV_PIX_FMT_YUVJ420P;
  codec->color_range = AVCOL_RANGE_JPEG;
  codec->time_base = {1, 25};
  codec->thread_count = 1;
  codec->flags |= AV_CODEC_FLAG_QSCALE;
  codec->global_quality = kJpegQuality * FF_QP2LAMBDA;
  av::check(avcodec_open2(codec.get(), encoder, nullptr), "open JPEG");
  av::check(avcodec_send_frame(codec.get(), &picture), "encode JPEG");
  const av::Packet packet = av::make_packet();
  av::check(avcodec_receive_packet(codec.get(), packet.get()), "take JPEG");
  return {packet->data, packet->data + packet->size};
}

}  // namespace

double StoryboardLayout::time_s(int index) const {
  const double from_s = index * interval_s;
  return (from_s + std::min(from_s + interval_s, std::max(duration_s, from_s))) / 2;
}

StoryboardLayout lay_out(const StoryboardOptions& options, double duration_s, double shape,
                         double key_frame_spacing_s) {
  StoryboardLayout layout;
  layout.duration_s = duration_s;
  layout.columns = options.columns;
  layout.rows = options.rows;
  const double wanted_s = options.interval_s > 0
                              ? options.interval_s
                              : usual_interval_s(duration_s, key_frame_spacing_s);
  const double most_tiles = layout.tiles_per_sprite() * static_cast<double>(options.max_sprites);
  layout.interval_s = whole_ms(std::max(wanted_s, duration_s / most_tiles));
  // A last tile for less than a tenth of an interval is not worth it: the one before lasts on.
  const double tiles = std::ceil(duration_s / layout.interval_s - 0.1);
  layout.tiles = static_cast<int>(std::clamp(tiles, 1.0, most_tiles));
  layout.tile = fit(shape, options.tile_width, options.tile_height);
  layout.tile = {even(layout.tile.width), even(layout.tile.height)};
  return layout;
}

double tolerance_s(const StoryboardLayout& layout) {
  constexpr double kFarS = 6;  // x264's usual 250 frames last up to 10.4 s: half of that is near
  constexpr double kShareOfVideo = 1.0 / 30;
  return std::max(layout.interval_s, std::min(kFarS, layout.duration_s * kShareOfVideo));
}

std::string sprite_path(int index) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "storyboard/%02d.jpg", index);
  return name.data();
}

std::string to_vtt(const StoryboardLayout& layout) {
  std::string text = "WEBVTT\n";
  for (int n = 0; n < layout.tiles; ++n) {
    const bool last = n + 1 == layout.tiles;
    const double next_s = (n + 1) * layout.interval_s;
    const int place = n % layout.tiles_per_sprite();
    const std::array box = {place % layout.columns * layout.tile.width,
                            place / layout.columns * layout.tile.height, layout.tile.width,
                            layout.tile.height};
    text += "\n" + clock(n * layout.interval_s) + " --> " +
            clock(last && layout.duration_s > 0 ? layout.duration_s : next_s) + "\n" +
            sprite_path(n / layout.tiles_per_sprite()) + "#xywh=" + std::to_string(box[0]) + "," +
            std::to_string(box[1]) + "," + std::to_string(box[2]) + "," + std::to_string(box[3]) +
            "\n";
  }
  return text;
}

Sprite::Sprite(const StoryboardLayout& layout) : layout_(layout) {
  start();
}

void Sprite::start() {
  canvas_ = av::make_picture(AV_PIX_FMT_RGB24, layout_.columns * layout_.tile.width,
                             layout_.rows * layout_.tile.height);
  const auto bytes =
      static_cast<size_t>(canvas_->linesize[0]) * static_cast<size_t>(canvas_->height);
  std::memset(canvas_->data[0], 0, bytes);
  used_ = 0;
}

void Sprite::add(const AVFrame& rgb) {
  const int x = used_ % layout_.columns * layout_.tile.width;
  const int y = used_ / layout_.columns * layout_.tile.height;
  paste(*canvas_, rgb, x + (layout_.tile.width - rgb.width) / 2,
        y + (layout_.tile.height - rgb.height) / 2);
  ++used_;
}

Sprite::Jpeg Sprite::take() {
  const int columns = std::min(used_, layout_.columns);
  const int rows = (used_ + layout_.columns - 1) / layout_.columns;
  const int width = columns * layout_.tile.width;
  const int height = rows * layout_.tile.height;
  Jpeg jpeg{encode_jpeg(*to_jpeg_pixels(*canvas_, width, height)), width, height};
  start();
  return jpeg;
}

}  // namespace millrace::media
