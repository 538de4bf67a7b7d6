/// A ladder fitted to one title: pure decisions from what trial encodes cost and how they look.
///
/// The top rung is the cheapest one that reaches the wanted quality. Each rung below is the
/// cheapest that looks one just noticeable difference worse, and costs at most two thirds. Rungs
/// passed over on the way are useless: another shows the same for fewer bits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::media {

/// What a quality setting gives: measured, or interpolated between measured ones.
struct OperatingPoint {
  int crf = 0;
  double bps = 0;
  double vmaf = 0;
};

/// One rung's trials, and the rate it may not exceed.
struct TrialCurve {
  std::string name;
  int64_t cap_bps = 0;
  std::vector<OperatingPoint> trials;  ///< three, by rising CRF
};

enum class Useless {
  No,
  Dearer,     ///< another rung looks as good for fewer bits
  NoGain,     ///< the next lower rung is not noticeably worse
  NotNeeded,  ///< the rung above already takes next to nothing
};

struct RungChoice {
  Useless useless = Useless::No;
  OperatingPoint point;  ///< where it is useful: what to encode with; else the best within its cap
  int64_t maxrate_bps = 0;
  double vmaf_at_cap = 0;
};

/// All whole CRF values within reach of the trials, by rising CRF; bits and quality only fall.
std::vector<OperatingPoint> operating_points(const TrialCurve& curve);

/// One choice for each curve; curves come largest picture first.
std::vector<RungChoice> choose_ladder(const std::vector<TrialCurve>& curves, double target_vmaf);

}  // namespace millrace::media
