#include "media/guided_rate_control.h"

#include <algorithm>
#include <cmath>

namespace millrace::media {

namespace {

constexpr int kHighestBase = 51;
/// libx264 counts on beyond 51, the last one of H.264: the tree lowers most blocks again, and what
/// remains above is smoothed.
constexpr int kHighestQp = 69;
/// libx264's CRF is a quantiser before the tree lowers it: with a quantiser compression of 0.6
/// (its default) it adds (1 - 0.6) × 13.5.
constexpr double kTreeOffset = 5.4;
constexpr int kIntraOffset = -3;  ///< 6 × log2(1.4), libx264's ratio of intra to predicted
/// Bits grow with the area to this power, roughly; libx264 assumes the same.
constexpr double kAreaPower = 0.7;
constexpr double kTexturePower = 1.1;
constexpr double kMotionPower = 0.5;
constexpr double kLowestFill = 0.1;  ///< of the buffer, for predictions that are wrong
constexpr double kRestingFill = 0.5;
constexpr double kInitialFill = 0.9;
/// How much the segment to come counts in the average beside the pictures before it. libx264 learns
/// of a picture when it is coded; with the whole weight, easy scenes after hard ones take more
/// bits.
constexpr double kAhead = 0.4;

double octaves(double qp) {
  return std::exp2(qp / 6);  // six steps double the quantiser
}

}  // namespace

GuidedRateControl::GuidedRateControl(const Options& options) : options_(options) {
  restart();
}

void GuidedRateControl::restart() {
  fill_bits_ = kInitialFill * static_cast<double>(options_.rate.bufsize_bits);
  correction_ = {1, 1, 1};
  spent_bits_ = wanted_bits_ = complexity_ = window_bits_ = 0;
  raise_ = 0;
}

int GuidedRateControl::offset(Kind kind) {
  return kind == kIntra ? kIntraOffset : 0;
}

double GuidedRateControl::predict(const Picture& picture, double qp) const {
  const double steps = picture.qp - qp;
  const double texture = picture.scaled_bits * octaves(kTexturePower * steps);
  const double motion = picture.motion_bits * octaves(kMotionPower * steps);
  return correction_[picture.kind] * (texture + motion);
}

double GuidedRateControl::predict_all(double qp) const {
  double bits = 0;
  for (const Picture& picture : pictures_) bits += predict(picture, qp + offset(picture.kind));
  return bits;
}

/// What remains of the past after a picture. The closer the cap is to the rate, the less can be
/// saved for later or paid back: libx264 then looks back over fewer pictures, and so do we.
double GuidedRateControl::memory() const {
  if (options_.rate.bufsize_bits <= 0) return 1;
  const auto maxrate = static_cast<double>(options_.rate.maxrate_bps);
  const double fill =
      maxrate * options_.picture_s / static_cast<double>(options_.rate.bufsize_bits);
  const double headroom = maxrate / static_cast<double>(options_.rate.bitrate_bps);
  return std::max(0.0, 1 - 0.5 * fill * std::max(0.0, 1.5 - headroom));
}

/// The quantiser at which everything lately, this segment included, would have had the wanted rate,
/// corrected for what was spent too much or too little since the chunk's beginning.
double GuidedRateControl::average_qp() const {
  const auto bitrate = static_cast<double>(options_.rate.bitrate_bps);
  const double segment_s = options_.picture_s * static_cast<double>(pictures_.size());
  const double wanted = window_bits_ + kAhead * bitrate * segment_s;
  double low = 0;
  double high = kHighestBase;
  while (high - low > 0.01) {
    const double qp = (low + high) / 2;
    (complexity_ / octaves(qp) + kAhead * predict_all(qp) > wanted ? low : high) = qp;
  }
  const double passed_s = wanted_bits_ / bitrate;
  const double tolerance = 2 * bitrate * std::max(1.0, std::sqrt(passed_s));
  const double excess = std::clamp(1 + (spent_bits_ - wanted_bits_) / tolerance, 0.5, 2.0);
  return std::clamp(high + 6 * std::log2(excess), 0.0, double{kHighestBase});
}

void GuidedRateControl::begin_segment(const SegmentStatistics& segment) {
  const double scale = std::pow(options_.area_ratio, kAreaPower);
  pictures_.assign(segment.pictures.size(), {});
  for (const PictureStatistics& source : segment.pictures) {
    Picture& picture = pictures_.at(static_cast<size_t>(source.display));
    picture.kind = source.is_intra() ? kIntra : source.type == 'P' ? kPredicted : kBipredicted;
    picture.qp = source.qp;
    picture.scaled_bits = source.texture_bits * scale + 1;
    picture.motion_bits = (source.motion_bits + source.other_bits) * scale;
  }
  next_ = 0;
  const double qp = options_.rate.mode == RateControl::Mode::Crf
                        ? std::clamp(options_.rate.crf + kTreeOffset, 0.0, double{kHighestBase})
                        : average_qp();
  base_ = static_cast<int>(std::floor(qp));
  fraction_ = qp - base_;
  planned_bits_ = predict_all(qp);
  segment_spent_ = 0;
  segment_reported_ = 0;
}

/// Would the buffer stay filled well enough if all pictures from `next` on had `raise` more?
bool GuidedRateControl::fits(size_t next, int raise) const {
  const auto size = static_cast<double>(options_.rate.bufsize_bits);
  const double inflow = static_cast<double>(options_.rate.maxrate_bps) * options_.picture_s;
  double fill = fill_bits_;
  double start = fill;
  double passed = 0;
  const double horizon = size;  // what fills an empty buffer
  for (size_t n = 0; n < pictures_.size() && passed < horizon; ++n) {
    const Picture& picture = pictures_[n];
    if (picture.reported) continue;
    const bool decided = n < next;
    const int qp = decided ? picture.whole_qp : base_ + offset(picture.kind) + raise;
    fill -= predict(picture, std::min(qp, kHighestQp) + fraction_);
    if (!decided && fill < kLowestFill * size) return false;
    fill = std::min(size, fill + inflow);
    if (decided) {
      start = fill;
    } else {
      passed += inflow;
    }
  }
  return fill >= std::min(start + passed / 2, kRestingFill * size);
}

/// Steps by which the segment's pictures so far were larger or smaller than planned; only where a
/// rate is to be met.
int GuidedRateControl::drift() const {
  if (options_.rate.mode == RateControl::Mode::Crf || segment_reported_ == 0) return 0;
  double remaining = 0;
  for (const Picture& picture : pictures_) {
    if (!picture.reported) remaining += predict(picture, base_ + fraction_ + offset(picture.kind));
  }
  const double steps = 6 * std::log2((segment_spent_ + remaining) / planned_bits_);
  return std::clamp(static_cast<int>(std::lround(steps)), -4, 4);
}

int GuidedRateControl::next_qp() {
  Picture& picture = pictures_.at(next_);
  const int wish = drift();
  int raise = std::max(wish, raise_ - 1);
  if (options_.rate.bufsize_bits > 0) {
    while (raise < kHighestQp - base_ && !fits(next_, raise)) ++raise;
  }
  raise_ = raise;
  picture.whole_qp = std::clamp(base_ + offset(picture.kind) + raise, 1, kHighestQp);
  ++next_;
  return picture.whole_qp;
}

void GuidedRateControl::report(int64_t display, double bits) {
  Picture& picture = pictures_.at(static_cast<size_t>(display));
  picture.reported = true;
  const double predicted = predict(picture, picture.whole_qp + fraction_);
  const double weight = picture.kind == kIntra ? 0.5 : 0.2;
  const double error = std::clamp(bits / std::max(predicted, 1.0), 0.2, 5.0);
  correction_[picture.kind] =
      std::clamp(correction_[picture.kind] * std::pow(error, weight), 0.05, 20.0);
  const double inflow = static_cast<double>(options_.rate.maxrate_bps) * options_.picture_s;
  // What a picture took too much is owed: the rate is that of segments, not of a decoder's buffer.
  const auto size = static_cast<double>(options_.rate.bufsize_bits);
  fill_bits_ = std::min(size, std::max(-size, fill_bits_ - bits) + inflow);
  segment_spent_ += bits;
  ++segment_reported_;
  spent_bits_ += bits;
  const double wanted = static_cast<double>(options_.rate.bitrate_bps) * options_.picture_s;
  wanted_bits_ += wanted;
  const double at_zero = bits * octaves(picture.whole_qp + fraction_ - offset(picture.kind));
  window_bits_ = memory() * (window_bits_ + wanted);
  complexity_ = memory() * (complexity_ + at_zero);
}

}  // namespace millrace::media
