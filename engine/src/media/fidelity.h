/// How much of a picture a coded and rescaled copy still shows.
///
/// Two measures that VMAF, too, builds on, implemented from the literature: visual information
/// fidelity at four scales (Sheikh and Bovik 2006: what share of the information in small windows
/// gets through the "channel" of blur and noise), and the detail loss measure (Li et al. 2011: what
/// share of the visible wavelet coefficients survives). `vmaf_model` turns them into a score.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace::media {

constexpr size_t kFidelityScales = 4;

struct Plane {
  Plane(int wide, int high)
      : width(wide), height(high), samples(static_cast<size_t>(wide) * static_cast<size_t>(high)) {}

  float* row(int y) { return samples.data() + static_cast<std::ptrdiff_t>(y) * width; }
  const float* row(int y) const { return samples.data() + static_cast<std::ptrdiff_t>(y) * width; }

  int width;
  int height;
  std::vector<float> samples;
};

/// A picture's luma, 0 to 255.
Plane luma_plane(const uint8_t* luma, std::ptrdiff_t stride, int width, int height);

/// Horizontal, vertical and diagonal detail of one scale.
using Bands = std::array<Plane, 3>;

/// A picture's luma as it is compared: ever smaller copies, and its details by size.
class JudgedPicture {
 public:
  explicit JudgedPicture(Plane luma);

  const std::vector<Plane>& blurred() const { return blurred_; }
  const std::vector<Bands>& details() const { return details_; }

 private:
  std::vector<Plane> blurred_;
  std::vector<Bands> details_;
};

/// 1 = as the reference, 0 = nothing left; `information` by scale, the finest first.
struct Fidelity {
  std::array<double, kFidelityScales> information{};
  double detail = 0;
};

/// Both pictures must have the same size.
Fidelity compare(const JudgedPicture& reference, const JudgedPicture& made);

/// Mean difference between two pictures, a little blurred, in luma steps.
double difference(const Plane& before, const Plane& after);

}  // namespace millrace::media
