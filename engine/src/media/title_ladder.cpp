#include "media/title_ladder.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace millrace::media {

namespace {

constexpr double kNoticeable = 6;       ///< VMAF points that most viewers see
constexpr double kUnnoticeable = 2;     ///< VMAF points that nobody sees
constexpr double kLeastStep = 1.5;      ///< ratio of bits between neighbours
constexpr double kSamePrice = 1.03;     ///< then the larger picture is preferred
constexpr double kSmallEnough = 200e3;  ///< bits a second that every connection has
constexpr double kCapRoom = 0.8;        ///< of the cap: an average near it is starved at its peaks
constexpr double kPeakRoom = 2;         ///< largest segment beside the average
constexpr int64_t kRateStep = 10'000;
constexpr int kLeastCrf = 17;
constexpr int kMostCrf = 40;

struct Pick {
  size_t rung = 0;
  OperatingPoint point;
};

using Points = std::vector<std::vector<OperatingPoint>>;

/// Through three points (Lagrange).
double parabola(const std::vector<OperatingPoint>& trials, double OperatingPoint::*value,
                double crf) {
  double sum = 0;
  for (const OperatingPoint& one : trials) {
    double term = one.*value;
    for (const OperatingPoint& other : trials) {
      if (other.crf != one.crf) term *= (crf - other.crf) / (one.crf - other.crf);
    }
    sum += term;
  }
  return sum;
}

std::vector<OperatingPoint> within_cap(const TrialCurve& curve) {
  std::vector<OperatingPoint> points = operating_points(curve);
  const double cap = kCapRoom * static_cast<double>(curve.cap_bps);
  const auto fits = std::find_if(points.begin(), points.end(),
                                 [cap](const OperatingPoint& point) { return point.bps <= cap; });
  if (fits == points.end()) {  // harder than any trial: the cap will decide
    points.back().bps = cap;
    return {points.back()};
  }
  points.erase(points.begin(), fits);
  return points;
}

/// The cheapest point of a rung that looks `wanted` good.
std::optional<OperatingPoint> cheapest(const std::vector<OperatingPoint>& points, double wanted,
                                       double most_bps) {
  const auto found =
      std::find_if(points.rbegin(), points.rend(),
                   [wanted](const OperatingPoint& point) { return point.vmaf >= wanted; });
  if (found == points.rend() || found->bps > most_bps) return std::nullopt;
  return *found;
}

std::optional<OperatingPoint> best(const std::vector<OperatingPoint>& points, double most_bps) {
  const auto found =
      std::find_if(points.begin(), points.end(),
                   [most_bps](const OperatingPoint& point) { return point.bps <= most_bps; });
  if (found == points.end()) return std::nullopt;
  return *found;
}

/// The rung, from number `first` on, that shows the wanted quality for the fewest bits; if none
/// does, the one that looks best for `most_bps`.
std::optional<Pick> pick(const Points& rungs, size_t first, double wanted, double most_bps) {
  std::optional<Pick> reaching;
  std::optional<Pick> otherwise;
  for (size_t rung = first; rung < rungs.size(); ++rung) {
    const auto cheap = cheapest(rungs[rung], wanted, most_bps);
    if (cheap && (!reaching || cheap->bps * kSamePrice < reaching->point.bps)) {
      reaching = Pick{rung, *cheap};
    }
    const auto good = best(rungs[rung], most_bps);
    if (good && (!otherwise || good->vmaf > otherwise->point.vmaf)) otherwise = Pick{rung, *good};
  }
  return reaching ? reaching : otherwise;
}

std::vector<Pick> picks_from_the_top(const Points& rungs, double target_vmaf) {
  std::vector<Pick> picks;
  double wanted = target_vmaf;
  double most_bps = 1e12;
  size_t first = 0;
  while (first < rungs.size()) {
    const auto next = pick(rungs, first, wanted, most_bps);
    if (!next) break;
    picks.push_back(*next);
    if (next->point.bps <= kSmallEnough) break;
    wanted = next->point.vmaf - kNoticeable;
    most_bps = next->point.bps / kLeastStep;
    first = next->rung + 1;
  }
  return picks;
}

int64_t maxrate(const OperatingPoint& point, int64_t cap_bps) {
  const int64_t wanted = std::llround(point.bps * kPeakRoom / kRateStep) * kRateStep;
  return std::min(cap_bps, std::max(kRateStep, wanted));
}

}  // namespace

std::vector<OperatingPoint> operating_points(const TrialCurve& curve) {
  if (curve.trials.size() != 3) throw std::invalid_argument("a curve needs three trials");
  std::vector<OperatingPoint> trials = curve.trials;
  for (OperatingPoint& trial : trials) trial.bps = std::log2(std::max(1.0, trial.bps));
  std::vector<OperatingPoint> points;
  for (int crf = kLeastCrf; crf <= kMostCrf; ++crf) {
    OperatingPoint point{crf, std::exp2(parabola(trials, &OperatingPoint::bps, crf)),
                         std::clamp(parabola(trials, &OperatingPoint::vmaf, crf), 0.0, 100.0)};
    if (!points.empty()) {  // a parabola turns somewhere
      point.bps = std::min(point.bps, points.back().bps);
      point.vmaf = std::min(point.vmaf, points.back().vmaf);
    }
    points.push_back(point);
  }
  return points;
}

std::vector<RungChoice> choose_ladder(const std::vector<TrialCurve>& curves, double target_vmaf) {
  Points rungs;
  for (const TrialCurve& curve : curves) rungs.push_back(within_cap(curve));
  const std::vector<Pick> picks = picks_from_the_top(rungs, target_vmaf);
  std::vector<RungChoice> choices;
  for (size_t rung = 0; rung < curves.size(); ++rung) {
    const bool below_last = picks.empty() || rung > picks.back().rung;
    const OperatingPoint& most = rungs[rung].front();
    choices.push_back(
        {below_last ? Useless::NotNeeded : Useless::Dearer, most, curves[rung].cap_bps, most.vmaf});
  }
  for (size_t n = 0; n < picks.size(); ++n) {
    RungChoice& choice = choices[picks[n].rung];
    const bool gains =
        n + 1 == picks.size() || picks[n].point.vmaf - picks[n + 1].point.vmaf >= kUnnoticeable;
    choice.useless = gains ? Useless::No : Useless::NoGain;
    choice.point = picks[n].point;
    choice.maxrate_bps = maxrate(choice.point, curves[picks[n].rung].cap_bps);
  }
  return choices;
}

}  // namespace millrace::media
