/// The way of one colour from HDR (PQ or HLG) to SDR, as pure arithmetic.
///
/// Colours outside BT.709 first move towards grey of the same luminance until they fit. Then
/// display light is kept as it is up to a knee, diffuse white (203 cd/m², ITU-R BT.2408) lands at
/// about 90 % of the SDR signal, and what is brighter is rolled off by the curve of ITU-R BT.2390,
/// § 5.4.1. The curve works on the largest of R, G and B and scales all three: neither hue nor
/// saturation moves.
#pragma once

#include <array>

#include "media/video_facts.h"

namespace millrace::media {

using Rgb = std::array<double, 3>;
using Matrix3 = std::array<Rgb, 3>;  ///< rows

/// Light of HDR's diffuse white, and of SDR's white after mapping, cd/m².
constexpr double kDiffuseWhite = 203;

/// SMPTE ST 2084: signal 0…1 ↔ cd/m² 0…10000.
double pq_to_light(double signal);
double light_to_pq(double light);

/// ITU-R BT.2390: display light of a source that reaches `peak` → what a display of
/// `kDiffuseWhite` can show, cd/m² both.
class ToneCurve {
 public:
  explicit ToneCurve(double peak);
  double operator()(double light) const;

 private:
  double peak_pq_;
  double white_;  ///< SDR's white / peak, in PQ
};

class ToneMap {
 public:
  explicit ToneMap(const VideoFacts& facts);

  /// Y', Cb, Cr of the source (luma 0…1, chroma -0.5…0.5) → those of BT.709 SDR.
  Rgb operator()(const Rgb& luma_chroma) const;

 private:
  Rgb to_light(const Rgb& signal) const;

  Hdr hdr_;
  ToneCurve curve_;
  double red_weight_ = 0.2627;   ///< of the source's Y'CbCr matrix, BT.2020's unless told
  double blue_weight_ = 0.0593;  ///< likewise
  Matrix3 to_bt709_;             ///< of linear RGB
};

}  // namespace millrace::media
