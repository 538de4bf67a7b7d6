/// CMAF boxes: init segments and media segments of one track (ISO/IEC 14496-12, 23000-19).
///
/// Own writer rather than libavformat's muxer, because every byte of the init segment must be the
/// same whichever chunk wrote it, decode times must continue exactly over chunks, and presentation
/// must start at 0 without edit lists (signed composition offsets).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "media/decoder_config.h"
#include "media/video_facts.h"

namespace millrace::media {

struct VideoTrack {
  int width = 0;
  int height = 0;
  uint32_t timescale = 0;
  ColorTags color;
  DecoderConfig config;
  int64_t maxrate_bps = 0;
  int64_t bufsize_bits = 0;
  int32_t start_offset = 0;  ///< composition time (ticks) that is shown at time zero
};

struct AudioTrack {
  uint32_t timescale = 0;  ///< the sample rate
  int channels = 0;
  int64_t bitrate_bps = 0;
  std::string language = "und";  ///< ISO 639-2
  std::vector<uint8_t> config;   ///< AudioSpecificConfig
};

/// One sample of a segment, in coded order.
struct Sample {
  std::vector<uint8_t> data;
  uint32_t duration = 0;           ///< ticks
  int32_t composition_offset = 0;  ///< ticks, presentation minus decode time
  bool sync = true;
  bool disposable = false;
};

std::vector<uint8_t> write_init(const VideoTrack& track);
std::vector<uint8_t> write_init(const AudioTrack& track);
/// styp + moof + mdat with the first sample decoded at `decode_time` ticks.
std::vector<uint8_t> write_segment(uint32_t sequence_number, int64_t decode_time,
                                   std::span<const Sample> samples);

/// RFC 6381, e.g. "mp4a.40.2".
std::string codecs_of(const AudioTrack& track);

}  // namespace millrace::media
