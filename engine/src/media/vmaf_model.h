/// An estimate of VMAF (v0.6.1, 0 to 100) without libvmaf: a small model on our own measures,
/// fitted by bench/fit_vmaf.py, which prints how far it is off on clips it has not seen.
#pragma once

#include "media/fidelity.h"

namespace millrace::media {

/// `motion`: the lesser `difference` to the picture before and after.
double estimate_vmaf(const Fidelity& fidelity, double motion);

}  // namespace millrace::media
