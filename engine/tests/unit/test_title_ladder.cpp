#include <catch2/catch.hpp>

#include "media/title_ladder.h"

using namespace millrace::media;  // NOLINT(google-build-using-namespace)

namespace {

/// A rung whose bits halve and whose quality falls by `loss` every seven CRF.
TrialCurve rung(const std::string& name, int64_t cap_bps, double bps, double vmaf, double loss) {
  return {
      name, cap_bps, {{20, bps, vmaf}, {27, bps / 2, vmaf - loss}, {34, bps / 4, vmaf - 2 * loss}}};
}

}  // namespace

TEST_CASE("operating points pass through the trials and only fall when they are interpolated") {
  const auto points = operating_points(rung("a", 1, 4e6, 95, 5));
  for (size_t n = 1; n < points.size(); ++n) {
    CHECK(points[n].bps <= points[n - 1].bps);
    CHECK(points[n].vmaf <= points[n - 1].vmaf);
    if (points[n].crf == 27) {
      CHECK(points[n].bps == Approx(2e6));
      CHECK(points[n].vmaf == Approx(90));
    }
  }
}

TEST_CASE("the top rung takes just what the target needs when bits abound") {
  const auto choices = choose_ladder({rung("a", 50'000'000, 4e6, 97, 4)}, 93);
  REQUIRE(choices.size() == 1);
  CHECK(choices[0].useless == Useless::No);
  CHECK(choices[0].point.crf == 27);
  CHECK(choices[0].maxrate_bps == 4'000'000);  // twice the average
}

TEST_CASE("a larger rung is useless when a smaller one shows the same for fewer bits") {
  const auto choices = choose_ladder(
      {rung("large", 5'000'000, 4e6, 97, 4), rung("small", 3'000'000, 1e6, 97, 4)}, 93);
  CHECK(choices[0].useless == Useless::Dearer);
  CHECK(choices[1].useless == Useless::No);
}

TEST_CASE("each rung looks noticeably worse and costs far less when all are kept") {
  const auto choices =
      choose_ladder({rung("1080p", 5'000'000, 4e6, 97, 8), rung("720p", 2'800'000, 3e6, 92, 8),
                     rung("480p", 1'400'000, 1.6e6, 80, 6)},
                    93);
  for (size_t n = 0; n < choices.size(); ++n) {
    CHECK(choices[n].useless == Useless::No);
    if (n == 0) continue;
    CHECK(choices[n].point.bps * 1.5 <= choices[n - 1].point.bps);
    CHECK(choices[n].point.vmaf < choices[n - 1].point.vmaf - 4);
  }
}

TEST_CASE("a rung gives what fits under its cap when the content is too hard for the target") {
  const auto choices = choose_ladder({rung("a", 5'000'000, 20e6, 90, 5)}, 93);
  CHECK(choices[0].useless == Useless::No);
  CHECK(choices[0].point.bps <= 4e6);  // room for the peaks
  CHECK(choices[0].point.bps > 3.6e6);
  CHECK(choices[0].maxrate_bps == 5'000'000);
  CHECK(choices[0].vmaf_at_cap == choices[0].point.vmaf);
}

TEST_CASE("the cap decides when no trial keeps within it") {
  const auto choices = choose_ladder({rung("a", 100'000, 200e6, 90, 5)}, 93);
  CHECK(choices[0].useless == Useless::No);
  CHECK(choices[0].maxrate_bps == 100'000);
}

TEST_CASE("lower rungs are not needed when the one above takes next to nothing") {
  const auto choices =
      choose_ladder({rung("a", 5'000'000, 300e3, 97, 4), rung("b", 2'800'000, 250e3, 92, 4)}, 93);
  CHECK(choices[0].useless == Useless::No);
  CHECK(choices[1].useless == Useless::NotNeeded);
}

TEST_CASE("a rung is useless when nobody sees what it has more than the next") {
  const auto choices =
      choose_ladder({rung("a", 5'000'000, 8e6, 94, 0.5), rung("b", 2'800'000, 6e6, 93, 0.1)}, 94);
  CHECK(choices[0].useless == Useless::NoGain);
  CHECK(choices[1].useless == Useless::No);
}
