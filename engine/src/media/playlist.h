/// HLS playlists of a finished ladder (RFC 8216), as text.
#pragma once

#include <string>
#include <vector>

#include "media/output_folder.h"

namespace millrace::media {

/// Bits per second of a run of segments.
struct BitRates {
  int64_t peak_bps = 0;
  int64_t average_bps = 0;
};

struct VariantInfo {
  std::string name;
  int width = 0;
  int height = 0;
  AVRational frame_rate{25, 1};
  std::string codecs;
  BitRates rates;
};

struct AudioInfo {
  std::string name;
  std::string language;
  std::string codecs;
  int channels = 2;
  bool is_default = false;
  BitRates rates;
};

/// RFC 8216, 4.3.4.2: the peak is the largest rate of any run of segments that lasts 0.5 to 1.5
/// target durations; of all segments together when they last less.
BitRates measure(const std::vector<SegmentInfo>& segments);
/// The longest segment rounded to the nearest second, at least 1.
int target_duration_s(const std::vector<SegmentInfo>& segments);

std::string media_playlist(const std::vector<SegmentInfo>& segments);
std::string master_playlist(const std::vector<VariantInfo>& variants,
                            const std::vector<AudioInfo>& audio);

}  // namespace millrace::media
