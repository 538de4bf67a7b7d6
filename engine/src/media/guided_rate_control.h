/// Quantisers for a rendition whose pictures are known beforehand from a smaller one.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "media/first_pass.h"
#include "media/plan.h"

namespace millrace::media {

/// Stands in for libx264's rate control, which would need a lookahead of its own. Like it with the
/// macroblock tree on, it keeps one quantiser for all pictures as long as the rate allows; the tree
/// tells blocks apart. Where the buffer model (VBV) would run empty, quantisers rise beforehand.
///
/// A pure function of the statistics and of the sizes reported, so the same input gives the same
/// bytes. Nothing is carried over `restart`, so that chunks do not depend on each other.
class GuidedRateControl {
 public:
  struct Options {
    RateControl rate;
    double picture_s = 0.04;
    double area_ratio = 1;  ///< pixels of this rendition over those of the statistics
  };

  explicit GuidedRateControl(const Options& options);

  /// A chunk begins.
  void restart();
  /// The pictures that come next. Call when all pictures before were reported.
  void begin_segment(const SegmentStatistics& segment);
  /// The part of the segment's quantiser that is below one step, 0 to 1; added by the trees.
  double qp_fraction() const { return fraction_; }
  /// The whole quantiser of the next picture in display order.
  int next_qp();
  /// A picture (by its position in display order) took so many bits.
  void report(int64_t display, double bits);

 private:
  enum Kind { kIntra, kPredicted, kBipredicted };
  struct Picture {
    Kind kind = kPredicted;
    double qp = 0;  ///< of the statistics
    double scaled_bits = 0;
    double motion_bits = 0;
    int whole_qp = 0;  ///< once decided
    bool reported = false;
  };

  double predict(const Picture& picture, double qp) const;
  double predict_all(double qp) const;
  static int offset(Kind kind);
  double memory() const;
  double average_qp() const;
  bool fits(size_t next, int raise) const;
  int drift() const;

  Options options_;
  std::vector<Picture> pictures_;  ///< in display order
  size_t next_ = 0;
  int base_ = 0;
  double fraction_ = 0;
  int raise_ = 0;
  double fill_bits_ = 0;
  std::array<double, 3> correction_{1, 1, 1};  ///< real over predicted bits, by kind
  double spent_bits_ = 0;                      ///< since the chunk began
  double wanted_bits_ = 0;
  double window_bits_ = 0;  ///< wanted lately
  double complexity_ = 0;   ///< spent lately, as if at quantiser 0
  double planned_bits_ = 0;
  double segment_spent_ = 0;
  int segment_reported_ = 0;
};

}  // namespace millrace::media
