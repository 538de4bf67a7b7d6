#include <catch2/catch.hpp>
#include <cstring>

#include "media/normaliser.h"
#include "media/scaler.h"

using namespace millrace;  // NOLINT(google-build-using-namespace)
using media::place;

namespace {
av::SharedFrame flat(AVPixelFormat format, int width, int height, int luma) {
  av::Frame frame = av::make_picture(format, width, height);
  for (int plane = 0; plane < 3; ++plane) {
    const auto size = static_cast<size_t>(frame->linesize[plane]) * static_cast<size_t>(height);
    const bool half = plane > 0 && format == AV_PIX_FMT_YUV420P;
    std::memset(frame->data[plane], plane == 0 ? luma : 128, half ? size / 2 : size);
  }
  frame->sample_aspect_ratio = {1, 1};
  return av::share(std::move(frame));
}
}  // namespace

TEST_CASE("the whole output is filled when the shape is right but for rounding") {
  const auto at = place(1920, 1080, {1, 1}, 854, 480);
  CHECK((at.x == 0 && at.y == 0 && at.width == 854 && at.height == 480));
  const auto wide = place(720, 576, {64, 45}, 1024, 576);
  CHECK((wide.width == 1024 && wide.height == 576));
}

TEST_CASE("bars are added when the picture's shape changes mid-stream") {
  const auto tall = place(160, 160, {1, 1}, 320, 240);
  CHECK((tall.width == 240 && tall.height == 240));
  const auto flat_shape = place(400, 100, {1, 1}, 320, 240);
  CHECK((flat_shape.width == 320 && flat_shape.height == 80 && flat_shape.y == 80));
}

TEST_CASE("the same picture comes back when nothing has to be done") {
  media::Scaler scaler(64, 48);
  const auto frame = flat(AV_PIX_FMT_YUV420P, 64, 48, 100);
  CHECK(scaler.scale(frame) == frame);
}

TEST_CASE("full range becomes limited range when scaled") {
  media::Scaler scaler(64, 48);
  const auto white = scaler.scale(flat(AV_PIX_FMT_YUVJ444P, 128, 96, 255));
  CHECK(white->data[0][0] == 235);
  const auto black = scaler.scale(flat(AV_PIX_FMT_YUVJ444P, 128, 96, 0));
  CHECK(black->data[0][0] == 16);
  CHECK(black->data[1][0] == 128);
}

TEST_CASE("formats are taken as they are only when they are planar YUV") {
  CHECK(media::is_scalable(AV_PIX_FMT_YUV420P));
  CHECK(media::is_scalable(AV_PIX_FMT_YUV422P10LE));
  CHECK(media::is_scalable(AV_PIX_FMT_YUVJ420P));
  CHECK_FALSE(media::is_scalable(AV_PIX_FMT_NV12));
  CHECK_FALSE(media::is_scalable(AV_PIX_FMT_GBRP));
  CHECK_FALSE(media::is_scalable(AV_PIX_FMT_PAL8));
  CHECK_FALSE(media::is_scalable(AV_PIX_FMT_YUYV422));
}

TEST_CASE("odd sizes are scaled when chroma is subsampled") {
  media::VideoFacts facts;
  media::Normaliser normaliser(facts, {1, 25}, 64, 48);
  const auto upright = normaliser.apply(flat(AV_PIX_FMT_YUV420P, 65, 49, 100));
  CHECK(upright->format == AV_PIX_FMT_YUV444P);
  media::Scaler scaler(32, 24);
  CHECK(scaler.scale(upright)->data[0][0] == 100);
}
