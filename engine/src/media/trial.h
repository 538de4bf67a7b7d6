/// Trial encodes of one sample: what a rung costs at a quality setting, and how it would look.
#pragma once

#include <vector>

#include "media/fidelity.h"
#include "media/plan.h"
#include "media/sampler.h"

namespace millrace::media {

struct TrialResult {
  double bps = 0;   ///< if segments of the plan's length looked like the sample
  double vmaf = 0;  ///< estimated, scaled up to the judging size
};

/// The sample's pictures that are judged, prepared once for all trials. Const calls may run on
/// several threads.
class TrialBench {
 public:
  TrialBench(const Plan& plan, const TitleSample& sample);

  /// `pictures`: the sample's, scaled to the rendition.
  TrialResult run(const RenditionPlan& rendition, const std::vector<av::SharedFrame>& pictures,
                  int crf) const;

 private:
  struct Judged {
    int64_t slot = 0;
    JudgedPicture reference;
    double motion = 0;
  };

  void add_judged(const TitleSample& sample, size_t slot);

  const Plan& plan_;
  int width_ = 0;
  int height_ = 0;
  int64_t counted_ = 0;  ///< pictures whose bits count
  std::vector<Judged> judged_;
};

std::vector<av::SharedFrame> scaled(const std::vector<av::SharedFrame>& pictures, int width,
                                    int height);

}  // namespace millrace::media
