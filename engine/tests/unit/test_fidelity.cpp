#include <catch2/catch.hpp>

#include <cmath>

#include "media/fidelity.h"
#include "media/sampler.h"
#include "media/vmaf_model.h"

using namespace millrace::media;  // NOLINT(google-build-using-namespace)

namespace {

constexpr int kWidth = 160;
constexpr int kHeight = 96;

/// A texture of several scales; `sharpness` 1 is the full picture, `noise` is added.
JudgedPicture texture(double sharpness, double noise = 0) {
  Plane plane(kWidth, kHeight);
  uint32_t state = 1;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      state = state * 1664525U + 1013904223U;
      const double random = static_cast<double>(state >> 16U) / 65536 - 0.5;
      const double coarse = 40 * std::sin(x / 11.0) * std::cos(y / 9.0);
      const double fine = 30 * std::sin(x * 1.3) * std::sin(y * 1.1);
      plane.row(y)[x] = static_cast<float>(128 + coarse + sharpness * fine + noise * random);
    }
  }
  return JudgedPicture(std::move(plane));
}

double score(const JudgedPicture& made) {
  return estimate_vmaf(compare(texture(1), made), 2);
}

SceneMark mark(int64_t timestamp, float grey) {
  return {timestamp, 1, std::vector<float>(64, grey)};
}

}  // namespace

TEST_CASE("nothing is lost when a picture is compared with itself") {
  const Fidelity fidelity = compare(texture(1), texture(1));
  for (const double information : fidelity.information) CHECK(information == Approx(1));
  CHECK(fidelity.detail == Approx(1).epsilon(0.001));
}

TEST_CASE("the estimate falls when a picture loses detail or gains noise") {
  CHECK(score(texture(1)) > score(texture(0.8)));
  CHECK(score(texture(0.8)) > score(texture(0.5)));
  CHECK(score(texture(0.5)) > score(texture(0.2)));
  CHECK(score(texture(1)) > score(texture(1, 30)));
  CHECK(score(texture(1, 30)) > score(texture(1, 90)));
}

TEST_CASE("pictures without any detail have nothing to lose") {
  const JudgedPicture flat(Plane(kWidth, kHeight));
  CHECK(compare(flat, flat).detail == Approx(1));
  CHECK(compare(flat, flat).information[0] == Approx(1));
}

TEST_CASE("even the smallest picture is judged") {
  const JudgedPicture dot(Plane(2, 2));
  CHECK(std::isfinite(estimate_vmaf(compare(dot, dot), 0)));
}

TEST_CASE("a scene seen for long is sampled once when marks are chosen") {
  const std::vector<SceneMark> marks = {mark(0, 0),  mark(1, 90), mark(2, 91),
                                        mark(3, 92), mark(4, 91), mark(5, 200)};
  const auto chosen = choose_marks(marks, 3);
  REQUIRE(chosen.size() == 3);
  CHECK(chosen[0].mark == 3);
  CHECK(chosen[0].share == 4);
  CHECK(chosen[1].share == 1);
  CHECK(chosen[2].share == 1);
}

TEST_CASE("there are no more samples than key frames when marks are chosen") {
  const std::vector<SceneMark> one = {{7, 6, std::vector<float>(64, 3)}};
  const auto chosen = choose_marks(one, 4);
  REQUIRE(chosen.size() == 1);
  CHECK(chosen[0].share == 6);
  CHECK(choose_marks({}, 4).empty());
}
