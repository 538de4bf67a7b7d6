/// AAC packets → CMAF segments cut at the packet nearest the video's segment grid.
#pragma once

#include <vector>

#include "media/fmp4.h"
#include "media/output_folder.h"
#include "media/plan.h"

namespace millrace::media {

class AudioSegmenter {
 public:
  AudioSegmenter(AudioPlan audio, AVRational frame_rate, int segment_frames,
                 const OutputFolder& output, const TrackListener& listener,
                 int64_t first_segment = 0);

  void write_init_segment(const std::vector<uint8_t>& config);
  /// Packets in order, without gaps.
  void add(int64_t index, std::vector<uint8_t> data);
  void finish();

  /// Index of the first packet of a segment.
  int64_t boundary(int64_t segment) const;

 private:
  void write_segment_of(size_t packets);
  std::vector<uint8_t> cmaf_of(size_t packets) const;
  std::vector<uint8_t> transport_of(size_t packets) const;

  AudioPlan audio_;
  AVRational frame_rate_;
  int segment_frames_;
  const OutputFolder& output_;
  const TrackListener& listener_;
  AudioTrack track_;
  int64_t segment_;
  int64_t first_packet_;
  std::vector<Sample> samples_;
};

}  // namespace millrace::media
