/// MPEG-TS segments of one track by libavformat's muxer (ISO/IEC 13818-1, RFC 8216 3.2).
///
/// Every segment can be made alone and joins its neighbours without a seam: times are counted from
/// the output's zero, and the continuity counters of the track's packets begin and end with 0,
/// because a segment holds a multiple of 16 of them. PAT and PMT come once, at the start.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "av/ptr.h"
#include "media/fmp4.h"

namespace millrace::media {

/// What time zero is in MPEG-TS (1/90000 s): what is decoded before it needs no negative times.
inline constexpr int64_t kTransportZero = 900'000;

/// A picture in Annex B form, or one AAC frame.
struct AccessUnit {
  std::vector<uint8_t> data;
  AVRational time_base{1, 90'000};
  int64_t shown = 0;    ///< since the output's zero, in `time_base`
  int64_t decoded = 0;  ///< likewise
  bool key = false;
};

struct TransportSegment {
  std::vector<uint8_t> bytes;
  int64_t first_unit_bytes = 0;  ///< from the beginning to the end of the first access unit
};

/// Length-prefixed NAL units with an access unit delimiter and, before an IDR, `parameter_sets`.
std::vector<uint8_t> annex_b(std::span<const uint8_t> picture, bool idr,
                             std::span<const std::vector<uint8_t>> parameter_sets);

TransportSegment write_transport_segment(int64_t index, std::span<const AccessUnit> pictures);
TransportSegment write_transport_segment(int64_t index, const AudioTrack& track,
                                         std::span<const AccessUnit> frames);

}  // namespace millrace::media
