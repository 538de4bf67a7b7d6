/// Coded pictures of one rendition → CMAF segments on the grid.
#pragma once

#include <vector>

#include "media/fmp4.h"
#include "media/output_folder.h"
#include "media/video_encoder.h"

namespace millrace::media {

class VideoSegmenter {
 public:
  /// `segment_frames` output frames make a segment; one frame lasts 1 / frame_rate.
  VideoSegmenter(std::string track, AVRational frame_rate, int segment_frames,
                 const OutputFolder& output, const TrackListener& listener);

  /// Ticks per second: a multiple of the rate's numerator, at least 10,000.
  static uint32_t timescale_for(AVRational frame_rate);

  /// `track.start_offset` is set from `reorder_frames`, also for the segments that follow.
  void write_init_segment(VideoTrack track, int reorder_frames);
  /// Pictures in coded order; an IDR on the grid ends the segment before.
  void add(CodedPicture picture);
  /// Ends the last segment.
  void finish();

 private:
  void finish_cmaf(int64_t index, int64_t first_slot);
  void finish_transport(int64_t index, int64_t first_slot);
  void write(int64_t index, const std::vector<uint8_t>& bytes, int64_t iframe_bytes);

  std::string track_;
  AVRational frame_rate_;
  int segment_frames_;
  uint32_t timescale_;
  uint32_t ticks_per_frame_;
  int reorder_frames_ = 0;
  const OutputFolder& output_;
  const TrackListener& listener_;
  std::vector<std::vector<uint8_t>> parameter_sets_;
  std::vector<CodedPicture> pictures_;
};

}  // namespace millrace::media
