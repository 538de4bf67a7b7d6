#include "media/tone_map.h"

#include <algorithm>
#include <cmath>

namespace millrace::media {

namespace {

constexpr Rgb kBt709Weights = {0.2126, 0.7152, 0.0722};

struct Chromaticity {
  double x;
  double y;
};
struct Primaries {
  Chromaticity red;
  Chromaticity green;
  Chromaticity blue;
};
constexpr Chromaticity kD65 = {0.3127, 0.3290};

Primaries primaries_of(AVColorPrimaries tag) {
  switch (tag) {
    case AVCOL_PRI_BT709:
      return {{0.640, 0.330}, {0.300, 0.600}, {0.150, 0.060}};
    case AVCOL_PRI_SMPTE431:
    case AVCOL_PRI_SMPTE432:
      return {{0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}};
    default:  // HDR is BT.2020 where it does not say otherwise
      return {{0.708, 0.292}, {0.170, 0.797}, {0.131, 0.046}};
  }
}

double determinant(const Matrix3& m) {
  return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
         m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
         m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

Matrix3 inverse(const Matrix3& m) {
  const double d = determinant(m);
  Matrix3 result{};
  for (size_t row = 0; row < 3; ++row) {
    for (size_t column = 0; column < 3; ++column) {
      const size_t r1 = (column + 1) % 3;
      const size_t r2 = (column + 2) % 3;
      const size_t c1 = (row + 1) % 3;
      const size_t c2 = (row + 2) % 3;
      result[row][column] = (m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]) / d;
    }
  }
  return result;
}

Rgb multiply(const Matrix3& m, const Rgb& v) {
  Rgb result{};
  for (size_t row = 0; row < 3; ++row) {
    result[row] = m[row][0] * v[0] + m[row][1] * v[1] + m[row][2] * v[2];
  }
  return result;
}

Matrix3 multiply(const Matrix3& left, const Matrix3& right) {
  Matrix3 result{};
  for (size_t row = 0; row < 3; ++row) {
    for (size_t column = 0; column < 3; ++column) {
      for (size_t n = 0; n < 3; ++n) result[row][column] += left[row][n] * right[n][column];
    }
  }
  return result;
}

/// SMPTE RP 177: linear RGB → CIE XYZ, with (1, 1, 1) at D65.
Matrix3 to_xyz(const Primaries& primaries) {
  Matrix3 m{};
  const std::array<Chromaticity, 3> all = {primaries.red, primaries.green, primaries.blue};
  for (size_t n = 0; n < 3; ++n) {
    m[0][n] = all[n].x / all[n].y;
    m[1][n] = 1;
    m[2][n] = (1 - all[n].x - all[n].y) / all[n].y;
  }
  const Rgb white = {kD65.x / kD65.y, 1, (1 - kD65.x - kD65.y) / kD65.y};
  const Rgb scale = multiply(inverse(m), white);
  for (auto& row : m) {
    for (size_t n = 0; n < 3; ++n) row[n] *= scale[n];
  }
  return m;
}

/// Towards grey of the same luminance until no component is negative.
Rgb into_gamut(const Rgb& color) {
  double luminance = 0;
  for (size_t n = 0; n < 3; ++n) luminance += kBt709Weights[n] * color[n];
  luminance = std::max(luminance, 0.0);
  const double least = *std::min_element(color.begin(), color.end());
  if (least >= 0) return color;
  const double share = luminance / (luminance - least);
  Rgb result{};
  for (size_t n = 0; n < 3; ++n) {
    result[n] = std::max(0.0, luminance + share * (color[n] - luminance));
  }
  return result;
}

/// ARIB STD-B67: signal 0…1 → scene light 0…1.
double hlg_to_scene(double signal) {
  constexpr double kA = 0.17883277;
  constexpr double kB = 0.28466892;
  constexpr double kC = 0.55991073;
  return signal <= 0.5 ? signal * signal / 3 : (std::exp((signal - kC) / kA) + kB) / 12;
}

/// ITU-R BT.2100: what HLG's reference display of 1000 cd/m² makes of scene light (the OOTF).
Rgb hlg_display(const Rgb& scene) {
  constexpr double kPeak = 1000;
  constexpr double kSystemGamma = 1.2;
  const double luminance = 0.2627 * scene[0] + 0.6780 * scene[1] + 0.0593 * scene[2];
  const double gain = luminance > 0 ? kPeak * std::pow(luminance, kSystemGamma - 1) : 0;
  return {gain * scene[0], gain * scene[1], gain * scene[2]};
}

}  // namespace

double pq_to_light(double signal) {
  const double power = std::pow(std::clamp(signal, 0.0, 1.0), 32.0 / 2523);
  const double numerator = std::max(power - 107.0 / 128, 0.0);
  return 10'000 * std::pow(numerator / (2413.0 / 128 - 2392.0 / 128 * power), 8192.0 / 1305);
}

double light_to_pq(double light) {
  const double power = std::pow(std::clamp(light / 10'000, 0.0, 1.0), 1305.0 / 8192);
  return std::pow((107.0 / 128 + 2413.0 / 128 * power) / (1 + 2392.0 / 128 * power), 2523.0 / 32);
}

ToneCurve::ToneCurve(double peak)
    : peak_pq_(light_to_pq(std::clamp(peak, kDiffuseWhite, 10'000.0))),
      white_(light_to_pq(kDiffuseWhite) / peak_pq_) {}

double ToneCurve::operator()(double light) const {
  const double knee = 1.5 * white_ - 0.5;
  const double signal = std::min(light_to_pq(light) / peak_pq_, 1.0);
  if (signal <= knee) return std::min(light, kDiffuseWhite);
  const double t = knee >= 1 ? 0 : (signal - knee) / (1 - knee);
  const double t2 = t * t;
  const double t3 = t2 * t;
  const double shown =
      (2 * t3 - 3 * t2 + 1) * knee + (t3 - 2 * t2 + t) * (1 - knee) + (3 * t2 - 2 * t3) * white_;
  return pq_to_light(shown * peak_pq_);
}

ToneMap::ToneMap(const VideoFacts& facts)
    : hdr_(facts.hdr),
      curve_(facts.peak_light),
      to_bt709_(multiply(inverse(to_xyz(primaries_of(AVCOL_PRI_BT709))),
                         to_xyz(primaries_of(facts.color.primaries)))) {
  if (facts.color.matrix == AVCOL_SPC_BT709) {
    red_weight_ = kBt709Weights[0];
    blue_weight_ = kBt709Weights[2];
  } else if (facts.color.matrix == AVCOL_SPC_BT470BG || facts.color.matrix == AVCOL_SPC_SMPTE170M) {
    red_weight_ = 0.299;
    blue_weight_ = 0.114;
  }
}

/// Display light, cd/m².
Rgb ToneMap::to_light(const Rgb& signal) const {
  Rgb light{};
  for (size_t n = 0; n < 3; ++n) {
    const double inside = std::clamp(signal[n], 0.0, 1.0);
    light[n] = hdr_ == Hdr::Hlg ? hlg_to_scene(inside) : pq_to_light(inside);
  }
  return hdr_ == Hdr::Hlg ? hlg_display(light) : light;
}

Rgb ToneMap::operator()(const Rgb& luma_chroma) const {
  const auto [luma, blue_difference, red_difference] = luma_chroma;
  const double red = luma + 2 * (1 - red_weight_) * red_difference;
  const double blue = luma + 2 * (1 - blue_weight_) * blue_difference;
  const double green =
      (luma - red_weight_ * red - blue_weight_ * blue) / (1 - red_weight_ - blue_weight_);
  Rgb shown = into_gamut(multiply(to_bt709_, to_light({red, green, blue})));
  const double largest = *std::max_element(shown.begin(), shown.end());
  const double gain = largest > 0 ? curve_(largest) / largest / kDiffuseWhite : 0;
  constexpr double kDisplayGamma = 2.4;  // ITU-R BT.1886
  for (double& component : shown) {
    component = std::pow(std::min(component * gain, 1.0), 1 / kDisplayGamma);
  }
  double sdr_luma = 0;
  for (size_t n = 0; n < 3; ++n) sdr_luma += kBt709Weights[n] * shown[n];
  return {sdr_luma, (shown[2] - sdr_luma) / (2 * (1 - kBt709Weights[2])),
          (shown[0] - sdr_luma) / (2 * (1 - kBt709Weights[0]))};
}

}  // namespace millrace::media
