#include "media/fidelity.h"

#include <algorithm>
#include <cmath>

#include "media/detail_loss.h"

namespace millrace::media {

namespace {

constexpr float kNoiseVariance = 2;  ///< of the eye, in squared luma steps
constexpr float kLeastVariance = 1e-10F;
constexpr double kTiny = 1e-9;

/// Windows as squares of blocks: about as wide as the Gaussians of the literature, but sums of
/// blocks are quick.
struct Window {
  int block;  ///< pixels; windows advance by it
  int span;   ///< blocks each way
};
constexpr std::array<Window, kFidelityScales> kWindows = {{{4, 3}, {2, 3}, {2, 2}, {1, 2}}};
/// Standard deviations of the blur before each halving, and how far it reaches.
constexpr std::array<float, kFidelityScales> kBlurs = {0, 1.8F, 1.0F, 0.6F};
constexpr std::array<int, kFidelityScales> kReaches = {0, 4, 2, 1};

std::vector<float> gaussian(float deviation, int reach) {
  std::vector<float> weights;
  float sum = 0;
  for (int n = -reach; n <= reach; ++n) {
    const auto offset = static_cast<float>(n);
    weights.push_back(std::exp(-offset * offset / (2 * deviation * deviation)));
    sum += weights.back();
  }
  for (float& weight : weights) weight /= sum;
  return weights;
}

/// Row `y` of a plane blurred from above and below, with `reach` samples repeated at both ends.
std::vector<float> blurred_row(const Plane& from, int y, const std::vector<float>& weights,
                               int reach) {
  std::vector<float> padded(static_cast<size_t>(from.width + 2 * reach));
  float* middle = padded.data() + reach;
  int from_y = y - reach;
  for (const float weight : weights) {
    const float* row = from.row(std::clamp(from_y++, 0, from.height - 1));
    for (int x = 0; x < from.width; ++x) middle[x] += weight * row[x];
  }
  std::fill_n(padded.begin(), reach, middle[0]);
  std::fill_n(padded.end() - reach, reach, middle[from.width - 1]);
  return padded;
}

Plane halved(const Plane& from, float deviation, int reach) {
  const std::vector<float> weights = gaussian(deviation, reach);
  Plane half((from.width + 1) / 2, (from.height + 1) / 2);
  for (int y = 0; y < half.height; ++y) {
    const std::vector<float> padded = blurred_row(from, 2 * y, weights, reach);
    float* row = half.row(y);
    for (int x = 0; x < half.width; ++x) {
      const float* around = padded.data() + static_cast<std::ptrdiff_t>(2) * x;
      for (size_t n = 0; n < weights.size(); ++n) row[x] += weights[n] * around[n];
    }
  }
  return half;
}

/// Sums over pixels of reference `r` and copy `d`.
struct Sums {
  float r = 0;
  float d = 0;
  float rr = 0;
  float dd = 0;
  float rd = 0;

  Sums& operator+=(const Sums& other) {
    r += other.r;
    d += other.d;
    rr += other.rr;
    dd += other.dd;
    rd += other.rd;
    return *this;
  }
};

Sums block_sums(const Plane& reference, const Plane& made, int x0, int y0, int block) {
  Sums sums;
  for (int y = y0; y < y0 + block; ++y) {
    const float* r = reference.row(y) + x0;
    const float* d = made.row(y) + x0;
    for (int x = 0; x < block; ++x) sums += {r[x], d[x], r[x] * r[x], d[x] * d[x], r[x] * d[x]};
  }
  return sums;
}

struct Information {
  double received = 0;
  double sent = 0;
};

void add_window(const Sums& sums, float pixels, Information& information) {
  const float mean_r = sums.r / pixels;
  const float mean_d = sums.d / pixels;
  const float variance_r = std::max(0.0F, sums.rr / pixels - mean_r * mean_r);
  const float variance_d = std::max(0.0F, sums.dd / pixels - mean_d * mean_d);
  if (variance_r < kNoiseVariance) {  // looks flat: nothing to lose, but noise can be added
    information.received += 1 - variance_d * 4 / (255 * 255);
    information.sent += 1;
    return;
  }
  const float covariance = sums.rd / pixels - mean_r * mean_d;
  const float gain = std::max(0.0F, covariance / (variance_r + kLeastVariance));
  const float noise = std::max(0.0F, variance_d - gain * covariance);
  information.received += std::log2(1 + gain * gain * variance_r / (noise + kNoiseVariance));
  information.sent += std::log2(1 + variance_r / kNoiseVariance);
}

std::vector<Sums> all_block_sums(const Plane& reference, const Plane& made, int block) {
  std::vector<Sums> sums;
  for (int y = 0; y + block <= reference.height; y += block) {
    for (int x = 0; x + block <= reference.width; x += block) {
      sums.push_back(block_sums(reference, made, x, y, block));
    }
  }
  return sums;
}

double information_ratio(const Plane& reference, const Plane& made, const Window& window) {
  const std::vector<Sums> blocks = all_block_sums(reference, made, window.block);
  const int columns = reference.width / window.block;
  const int rows = reference.height / window.block;
  const auto pixels = static_cast<float>(window.block * window.block * window.span * window.span);
  Information information;
  for (int row = 0; row + window.span <= rows; ++row) {
    for (int column = 0; column + window.span <= columns; ++column) {
      Sums sums;
      for (int n = 0; n < window.span * window.span; ++n) {
        const int at = (row + n / window.span) * columns + column + n % window.span;
        sums += blocks[static_cast<size_t>(at)];
      }
      add_window(sums, pixels, information);
    }
  }
  return (information.received + kTiny) / (information.sent + kTiny);
}

}  // namespace

Plane luma_plane(const uint8_t* luma, std::ptrdiff_t stride, int width, int height) {
  Plane plane(width, height);
  for (int y = 0; y < height; ++y) std::copy_n(luma + y * stride, width, plane.row(y));
  return plane;
}

JudgedPicture::JudgedPicture(Plane luma) {
  blurred_.reserve(kFidelityScales);
  blurred_.push_back(std::move(luma));
  for (size_t scale = 1; scale < kFidelityScales; ++scale) {
    blurred_.push_back(halved(blurred_.back(), kBlurs[scale], kReaches[scale]));
  }
  details_ = wavelets(blurred_.front());
}

Fidelity compare(const JudgedPicture& reference, const JudgedPicture& made) {
  Fidelity result;
  for (size_t scale = 0; scale < kFidelityScales; ++scale) {
    result.information[scale] =
        information_ratio(reference.blurred()[scale], made.blurred()[scale], kWindows[scale]);
  }
  result.detail = detail_kept(reference.details(), made.details());
  return result;
}

double difference(const Plane& before, const Plane& after) {
  const Plane left = halved(before, kBlurs[2], kReaches[2]);
  const Plane right = halved(after, kBlurs[2], kReaches[2]);
  double total = 0;
  for (size_t n = 0; n < left.samples.size(); ++n) {
    total += std::abs(left.samples[n] - right.samples[n]);
  }
  return total / static_cast<double>(left.samples.size());
}

}  // namespace millrace::media
