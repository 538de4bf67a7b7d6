#include "media/rates.h"

#include <algorithm>

#include "media/aac_encoder.h"

extern "C" {
#include <libavutil/mathematics.h>
}

namespace millrace::media {

namespace {

int64_t to_nearest(int64_t numerator, int64_t denominator) {
  return (2 * numerator + denominator) / (2 * denominator);
}

/// `bytes` in `ticks` of 1 / `ticks_per_s`, as bits per second, rounded up.
int64_t bits_per_s(int64_t bytes, int64_t ticks, int64_t ticks_per_s) {
  return av_rescale_rnd(8 * bytes, ticks_per_s, ticks, AV_ROUND_UP);
}

}  // namespace

BitRates measure(const std::vector<SegmentInfo>& segments, int64_t target_s,
                 int64_t SegmentInfo::*size) {
  if (segments.empty()) return {};
  const int64_t ticks_per_s = segments.front().duration.den;  // one clock for the whole track
  BitRates rates;
  int64_t all_bytes = 0;
  int64_t all_ticks = 0;
  for (auto first = segments.begin(); first != segments.end(); ++first) {
    int64_t bytes = 0;
    int64_t ticks = 0;
    for (auto last = first; last != segments.end(); ++last) {
      bytes += (*last).*size;
      ticks += last->duration.num;
      if (2 * ticks > 3 * target_s * ticks_per_s) break;
      if (2 * ticks >= target_s * ticks_per_s) {
        rates.peak_bps = std::max(rates.peak_bps, bits_per_s(bytes, ticks, ticks_per_s));
      }
    }
    all_bytes += (*first).*size;
    all_ticks += first->duration.num;
  }
  rates.average_bps = bits_per_s(all_bytes, all_ticks, ticks_per_s);
  if (rates.peak_bps == 0) rates.peak_bps = rates.average_bps;
  return rates;
}

int64_t target_duration_s(const Plan& plan, const TrackRecords& tracks) {
  const int64_t ticks = int64_t{plan.segment_frames} * plan.frame_rate.den;
  const int64_t ticks_per_s = plan.frame_rate.num;
  int64_t longest = std::max<int64_t>(1, to_nearest(ticks, ticks_per_s));
  for (const AudioPlan& audio : plan.audio) {  // up to one frame more
    const int64_t rate = audio.sample_rate_hz;
    const int64_t samples = ticks * rate + AacEncoder::kFrameSamples * ticks_per_s;
    longest = std::max(longest, to_nearest(samples, ticks_per_s * rate));
  }
  for (const auto& [name, track] : tracks) {
    for (const SegmentInfo& segment : track.segments) {
      longest = std::max(longest, to_nearest(segment.duration.num, segment.duration.den));
    }
  }
  return longest;
}

}  // namespace millrace::media
