#include <catch2/catch.hpp>
#include <cmath>

#include "media/tone_map.h"
#include "media/tone_mapper.h"

using namespace millrace;  // NOLINT(google-build-using-namespace)
using media::ToneCurve;
using media::ToneMap;

namespace {

media::VideoFacts hdr_facts(double peak_light = 1000) {
  media::VideoFacts facts;
  facts.hdr = media::Hdr::Pq;
  facts.peak_light = peak_light;
  return facts;
}

double grey(const ToneMap& map, double light) {
  const auto mapped = map({media::light_to_pq(light), 0, 0});
  CHECK(std::abs(mapped[1]) < 1e-9);
  CHECK(std::abs(mapped[2]) < 1e-9);
  return mapped[0];
}

}  // namespace

TEST_CASE("PQ's signal and light agree with SMPTE ST 2084 when converted") {
  CHECK(media::light_to_pq(100) == Approx(0.5081).margin(1e-4));
  CHECK(media::light_to_pq(203) == Approx(0.5807).margin(1e-4));
  CHECK(media::light_to_pq(10'000) == Approx(1));
  for (const double light : {0.01, 1.0, 48.0, 1000.0}) {
    CHECK(media::pq_to_light(media::light_to_pq(light)) == Approx(light).epsilon(1e-6));
  }
}

TEST_CASE("light is kept up to the knee and never falls when the curve rolls off") {
  for (const double peak : {203.0, 400.0, 1000.0, 4000.0, 10'000.0}) {
    CAPTURE(peak);
    const ToneCurve curve(peak);
    CHECK(curve(10) == Approx(10));
    CHECK(curve(peak) == Approx(203).epsilon(1e-3));
    CHECK(curve(2 * peak) <= 203.01);
    double before = 0;
    for (int step = 0; std::pow(1.1, step) <= peak; ++step) {
      const double light = std::pow(1.1, step);
      const double shown = curve(light);
      CHECK(shown > before);
      CHECK(shown <= light * 1.001);
      before = shown;
    }
  }
}

TEST_CASE("SDR's levels are those of BT.2408 when greys are mapped") {
  const ToneMap map(hdr_facts());
  CHECK(grey(map, 0) == Approx(0).margin(1e-6));
  CHECK(grey(map, 26) == Approx(0.425).margin(0.01));  // an 18 % grey card
  CHECK(grey(map, 203) == Approx(0.905).margin(0.02));
  CHECK(grey(map, 1000) == Approx(1).margin(1e-3));
}

TEST_CASE("what was graded to 203 cd/m² is shown as it is") {
  const ToneMap map(hdr_facts(203));
  CHECK(grey(map, 203) == Approx(1).margin(1e-3));
  CHECK(grey(map, 100) == Approx(std::pow(100.0 / 203, 1 / 2.4)).margin(1e-3));
}

TEST_CASE("the table agrees with the arithmetic when a picture is mapped") {
  const ToneMap map(hdr_facts());
  const media::ToneMapper mapper(hdr_facts());
  av::Frame picture = av::make_picture(AV_PIX_FMT_YUV444P16, 64, 2);
  const auto put = [&picture](int plane, int x, double value) {
    for (int y = 0; y < 2; ++y) {
      reinterpret_cast<uint16_t*>(picture->data[plane] +
                                  std::ptrdiff_t{y} * picture->linesize[plane])[x] =
          static_cast<uint16_t>(std::lround(value * 256));
    }
  };
  for (int x = 0; x < 64; ++x) {
    put(0, x, 16 + 219 * x / 80.0);
    put(1, x, 128 - 10);
    put(2, x, 128 + 12);
  }
  const av::Frame mapped = mapper.apply(*picture);
  REQUIRE(mapped->format == AV_PIX_FMT_YUV420P);
  for (int x = 20; x < 64; ++x) {  // below, such chroma is no colour at all
    const auto wanted = map({x / 80.0, -10 / 224.0, 12 / 224.0});
    CHECK(mapped->data[0][x] == Approx(16 + 219 * wanted[0]).margin(1.6));
    if (x % 2 == 0 && x > 20) {
      CHECK(mapped->data[1][x / 2] == Approx(128 + 224 * wanted[1]).margin(1.6));
      CHECK(mapped->data[2][x / 2] == Approx(128 + 224 * wanted[2]).margin(1.6));
    }
  }
}
