/// Bit rates of a track as manifests state them, measured from what was written.
#pragma once

#include "media/output_folder.h"
#include "media/plan.h"

namespace millrace::media {

/// Bits per second of a run of segments.
struct BitRates {
  int64_t peak_bps = 0;
  int64_t average_bps = 0;
};

/// RFC 8216, 4.1: the peak is the largest rate of any run of segments that lasts 0.5 to 1.5 target
/// durations; where no run does, it is the average. `size` chooses what of the segments is counted.
BitRates measure(const std::vector<SegmentInfo>& segments, int64_t target_s,
                 int64_t SegmentInfo::*size = &SegmentInfo::bytes);

/// RFC 8216, 4.3.3.1: the longest segment of all tracks rounded to the nearest second, at least 1.
/// What the plan allows counts, too, so that it is the same while only a part is made.
int64_t target_duration_s(const Plan& plan, const TrackRecords& tracks);

}  // namespace millrace::media
