/// The detail loss measure (Li, Zhang, Ma, Ngan 2011): wavelet coefficients of the copy are split
/// into what is left of the reference's and what was added; the first counts as far as it is
/// visible beside the second.
#pragma once

#include "media/fidelity.h"

namespace millrace::media {

/// Daubechies' second wavelet, one entry a scale, the finest first.
std::vector<Bands> wavelets(const Plane& luma);

/// Visible detail of the copy over that of the reference.
double detail_kept(const std::vector<Bands>& reference, const std::vector<Bands>& made);

}  // namespace millrace::media
