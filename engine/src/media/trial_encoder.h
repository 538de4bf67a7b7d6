/// libx264 for the analysis: constant quality without a cap, giving the picture a viewer would see.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "av/ptr.h"
#include "media/plan.h"

namespace millrace::media {

/// A coded picture as it will be decoded; `luma` lives as long as the call that hands it on.
struct TrialPicture {
  int64_t slot = 0;
  int64_t bytes = 0;
  bool idr = false;
  const uint8_t* luma = nullptr;
  std::ptrdiff_t stride = 0;
};

class TrialEncoder {
 public:
  using OnPicture = std::function<void(const TrialPicture&)>;

  /// `plan` gives preset, rate and segment length, `rendition` the size; `crf` replaces its own.
  TrialEncoder(const Plan& plan, const RenditionPlan& rendition, int crf);

  /// Slots count from 0.
  void encode(const AVFrame& picture, int64_t slot, const OnPicture& on_picture);
  void finish(const OnPicture& on_picture);

 private:
  av::X264 encoder_;
};

}  // namespace millrace::media
