#include "media/detail_loss.h"

#include <algorithm>
#include <cmath>

namespace millrace::media {

namespace {

constexpr int kTaps = 4;
constexpr std::array<float, kTaps> kLow = {0.4829629F, 0.8365163F, 0.2241439F, -0.1294095F};
constexpr std::array<float, kTaps> kHigh = {-0.1294095F, -0.2241439F, 0.8365163F, -0.4829629F};
constexpr float kBorder = 0.1F;  ///< share at each side that viewers do not look at
constexpr float kCosineOfOneDegreeSquared = 0.99969541F;
constexpr float kMasking = 1.0F / 30;  ///< of added detail around, on what is left

/// How visible detail is, by scale: diagonals less than the rest. Watson et al. 1997, table 4 and
/// equation 7, for a viewer at three picture heights from 1080 lines.
struct Visibility {
  float straight;
  float diagonal;
};

Visibility visibility(size_t scale) {
  constexpr std::array<double, kFidelityScales> kStraight = {0.67234, 0.41317, 0.22727, 0.11792};
  constexpr std::array<double, kFidelityScales> kDiagonal = {0.72709, 0.49428, 0.28688, 0.15214};
  const double pixels_a_degree = 3 * 1080 * 3.14159265358979 / 180;
  const double octave = std::exp2(static_cast<double>(scale) + 1);
  const auto step = [&](double direction, double amplitude) {
    const double distance = std::log10(octave * 0.401 * direction / pixels_a_degree);
    return 2 * 0.495 * std::pow(10, 0.466 * distance * distance) / amplitude;
  };
  return {static_cast<float>(1 / step(1, kStraight[scale])),
          static_cast<float>(1 / step(0.534, kDiagonal[scale]))};
}

/// Filters columns with both filters, halving the height.
std::array<Plane, 2> split_rows(const Plane& from) {
  const int height = (from.height + 1) / 2;
  std::array<Plane, 2> parts = {Plane(from.width, height), Plane(from.width, height)};
  for (int y = 0; y < height; ++y) {
    float* low = parts[0].row(y);
    float* high = parts[1].row(y);
    for (int tap = 0; tap < kTaps; ++tap) {
      const float* row = from.row(std::clamp(2 * y - 1 + tap, 0, from.height - 1));
      const float low_weight = kLow[static_cast<size_t>(tap)];
      const float high_weight = kHigh[static_cast<size_t>(tap)];
      for (int x = 0; x < from.width; ++x) {
        low[x] += low_weight * row[x];
        high[x] += high_weight * row[x];
      }
    }
  }
  return parts;
}

float filtered_at(const float* row, int x, int width, const std::array<float, kTaps>& weights) {
  float sum = 0;
  for (int tap = 0; tap < kTaps; ++tap) {
    sum += weights[static_cast<size_t>(tap)] * row[std::clamp(2 * x - 1 + tap, 0, width - 1)];
  }
  return sum;
}

/// Filters rows, halving the width.
Plane filtered_columns(const Plane& from, const std::array<float, kTaps>& weights) {
  Plane result((from.width + 1) / 2, from.height);
  const int inner_end = std::max(1, from.width / 2 - 1);
  for (int y = 0; y < from.height; ++y) {
    const float* row = from.row(y);
    float* out = result.row(y);
    out[0] = filtered_at(row, 0, from.width, weights);
    for (int x = 1; x < inner_end; ++x) {
      const float* around = row + static_cast<std::ptrdiff_t>(2) * x - 1;
      out[x] = weights[0] * around[0] + weights[1] * around[1] + weights[2] * around[2] +
               weights[3] * around[3];
    }
    for (int x = inner_end; x < result.width; ++x) {
      out[x] = filtered_at(row, x, from.width, weights);
    }
  }
  return result;
}

/// What is left of the reference's three coefficients at one place.
std::array<float, 3> kept(const std::array<float, 3>& o, const std::array<float, 3>& t) {
  const float dot = o[0] * t[0] + o[1] * t[1];
  const float lengths = (o[0] * o[0] + o[1] * o[1]) * (t[0] * t[0] + t[1] * t[1]);
  // The same direction in other contrast is no loss but a change of contrast.
  if (dot >= 0 && dot * dot >= kCosineOfOneDegreeSquared * lengths) return t;
  std::array<float, 3> result{};
  for (size_t band = 0; band < 3; ++band) {
    const float size = std::abs(o[band]);
    const float same = std::clamp(o[band] < 0 ? -t[band] : t[band], 0.0F, size);
    result[band] = o[band] < 0 ? -same : same;
  }
  return result;
}

/// One scale's coefficients, weighted by visibility: left, there, and added (all bands together).
struct Split {
  explicit Split(const Plane& like)
      : left{like, like, like}, there{like, like, like}, added(like.width, like.height) {}

  Bands left;
  Bands there;
  Plane added;
};

Split split(const Bands& reference, const Bands& made, const Visibility& seen) {
  const std::array<float, 3> weights = {seen.straight, seen.straight, seen.diagonal};
  Split result(reference[0]);
  for (size_t n = 0; n < reference[0].samples.size(); ++n) {
    const std::array<float, 3> o = {reference[0].samples[n], reference[1].samples[n],
                                    reference[2].samples[n]};
    const std::array<float, 3> t = {made[0].samples[n], made[1].samples[n], made[2].samples[n]};
    const std::array<float, 3> r = kept(o, t);
    for (size_t band = 0; band < 3; ++band) {
      result.left[band].samples[n] = weights[band] * std::abs(r[band]);
      result.there[band].samples[n] = weights[band] * std::abs(o[band]);
      result.added.samples[n] += weights[band] * std::abs(t[band] - r[band]);
    }
  }
  return result;
}

float mask_at(const Plane& added, int x, int y) {
  float sum = added.row(y)[x];
  for (int row = y - 1; row <= y + 1; ++row) {
    const float* line = added.row(row);
    sum += line[x - 1] + line[x] + line[x + 1];
  }
  return kMasking * sum;
}

struct Detail {
  double kept = 0;
  double there = 0;
};

float cube(float value) {
  return value * value * value;
}

/// Large coefficients count most, as they do to the eye: cubic means. The constant keeps pictures
/// without detail from being judged by their noise.
Detail pooled(const Split& split) {
  const Plane& added = split.added;
  const int left = std::max(1, static_cast<int>(static_cast<float>(added.width) * kBorder));
  const int top = std::max(1, static_cast<int>(static_cast<float>(added.height) * kBorder));
  std::array<Detail, 3> sums;
  for (int y = top; y < added.height - top; ++y) {
    std::array<Detail, 3> line;
    for (int x = left; x < added.width - left; ++x) {
      const float mask = mask_at(added, x, y);
      for (size_t band = 0; band < 3; ++band) {
        line[band].kept += cube(std::max(0.0F, split.left[band].row(y)[x] - mask));
        line[band].there += cube(split.there[band].row(y)[x]);
      }
    }
    for (size_t band = 0; band < 3; ++band) {
      sums[band].kept += line[band].kept;
      sums[band].there += line[band].there;
    }
  }
  const double area = static_cast<double>(std::max(0, added.width - 2 * left)) *
                      std::max(0, added.height - 2 * top);
  Detail result;
  for (const Detail& band : sums) {
    result.kept += std::cbrt(band.kept) + std::cbrt(area / 32);
    result.there += std::cbrt(band.there) + std::cbrt(area / 32);
  }
  return result;
}

}  // namespace

std::vector<Bands> wavelets(const Plane& luma) {
  std::vector<Bands> scales;
  scales.reserve(kFidelityScales);
  Plane rest = luma;
  for (size_t scale = 0; scale < kFidelityScales; ++scale) {
    const std::array<Plane, 2> parts = split_rows(rest);
    scales.push_back({filtered_columns(parts[0], kHigh), filtered_columns(parts[1], kLow),
                      filtered_columns(parts[1], kHigh)});
    rest = filtered_columns(parts[0], kLow);
  }
  return scales;
}

double detail_kept(const std::vector<Bands>& reference, const std::vector<Bands>& made) {
  double kept = 1e-9;
  double there = 1e-9;
  for (size_t scale = 0; scale < reference.size(); ++scale) {
    const Detail detail = pooled(split(reference[scale], made[scale], visibility(scale)));
    kept += detail.kept;
    there += detail.there;
  }
  return kept / there;
}

}  // namespace millrace::media
