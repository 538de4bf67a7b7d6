#include <algorithm>
#include <catch2/catch.hpp>
#include <tuple>
#include <vector>

#include "media/picture_times.h"
#include "media/scaler.h"

using namespace millrace;  // NOLINT(google-build-using-namespace)
using media::PictureTimes;

namespace {

/// Which picture (by its number), from when on, for how long.
using Shown = std::vector<std::tuple<int, int64_t, int64_t>>;

Shown shown(PictureTimes::Range range, const std::vector<int64_t>& times, int64_t last_duration) {
  Shown result;
  std::vector<av::SharedFrame> frames;
  PictureTimes pictures(range, [&](const av::SharedFrame& frame, int64_t time, int64_t duration) {
    const auto found = std::find(frames.begin(), frames.end(), frame);
    result.emplace_back(static_cast<int>(found - frames.begin()), time, duration);
  });
  for (const int64_t time : times) {
    frames.push_back(av::share(av::make_frame()));
    pictures.push(frames.back(), time, last_duration);
  }
  pictures.finish();
  return result;
}

}  // namespace

TEST_CASE("pictures keep their times when the whole is taken") {
  CHECK(shown({0, PictureTimes::kOpenEnd, 40}, {0, 35, 90, 120}, 40) ==
        Shown{{0, 0, 35}, {1, 35, 55}, {2, 90, 30}, {3, 120, 40}});
}

TEST_CASE("the nearest picture comes first when the range begins between two") {
  CHECK(shown({51, 130, 40}, {0, 40, 80, 120, 160}, 40) == Shown{{1, 0, 29}, {2, 29, 50}});
  CHECK(shown({62, 200, 40}, {0, 40, 80, 120, 160}, 40) ==
        Shown{{2, 0, 58}, {3, 58, 40}, {4, 98, 40}});
}

TEST_CASE("a picture that stands for long is shown when the range begins inside it") {
  CHECK(shown({1000, 6000, 40}, {0, 5000}, 40) == Shown{{0, 0, 4000}, {1, 4000, 40}});
  CHECK(shown({1000, 2000, 40}, {0, 5000}, 40) == Shown{{0, 0, 1000}});
}

TEST_CASE("a picture is left out when it is not later than the one before") {
  CHECK(shown({0, PictureTimes::kOpenEnd, 40}, {0, 40, 40, 20, 80}, 40) ==
        Shown{{0, 0, 40}, {1, 40, 40}, {4, 80, 40}});
}

TEST_CASE("nothing is shown when the range lies behind all pictures") {
  CHECK(shown({1000, 2000, 40}, {0, 40}, 40).empty());
}

TEST_CASE("ten bits come out whole and bars are black when a picture is fitted in") {
  av::Frame wide = av::make_picture(AV_PIX_FMT_YUV420P10, 128, 32);
  wide->color_range = AVCOL_RANGE_MPEG;
  for (int plane = 0; plane < 3; ++plane) {
    auto* samples = reinterpret_cast<uint16_t*>(wide->data[plane]);
    const int rows = plane == 0 ? 32 : 16;
    std::fill_n(samples, wide->linesize[plane] / 2 * rows, static_cast<uint16_t>(700 + plane));
  }
  media::Scaler scaler(128, 64, 10);
  const av::SharedFrame made = scaler.scale(av::share(std::move(wide)));
  REQUIRE(made->format == AV_PIX_FMT_YUV420P10);
  const auto luma = [&](int row) {
    return reinterpret_cast<const uint16_t*>(made->data[0] + row * made->linesize[0])[64];
  };
  CHECK(luma(2) == 64);
  CHECK(luma(32) == 700);
  CHECK(luma(61) == 64);
}
