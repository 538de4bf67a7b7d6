/// Cues → WebVTT: segments on the video's grid (RFC 8216, 3.5), and the whole track as one file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "media/cue_text.h"
#include "media/output_folder.h"
#include "media/plan.h"

namespace millrace::media {

struct Cue {
  static constexpr int64_t kOpenEnd = INT64_MAX;

  int64_t start_ms = 0;  ///< since the output's time zero
  int64_t end_ms = kOpenEnd;
  CueText text;
};

class WebVttSegmenter {
 public:
  WebVttSegmenter(SubtitlePlan subtitles, const Plan& plan, const OutputFolder& output,
                  const TrackListener& listener);

  /// Cues in any order; what is shown before zero or after the plan's duration is cut off. Throws
  /// LIMIT_EXCEEDED when it gets too much.
  void add(Cue cue);
  /// Writes everything. A cue without an end is shown until the next one.
  void finish();

  int64_t cues() const { return static_cast<int64_t>(cues_.size()); }

 private:
  void close_open_cues();
  std::string segment_text(const std::vector<size_t>& shown) const;
  std::vector<std::vector<size_t>> by_segment();
  int64_t segment_at(int64_t time_ms) const;
  void charge(const Cue& cue, int64_t times);
  void write_whole() const;
  void write_segment(int64_t index, const std::string& text) const;

  SubtitlePlan subtitles_;
  AVRational frame_rate_;
  int64_t segment_frames_;
  int64_t frames_;
  int64_t segment_count_;
  int64_t length_ms_;
  const OutputFolder& output_;
  const TrackListener& listener_;
  std::vector<Cue> cues_;
  int64_t bytes_ = 0;
};

}  // namespace millrace::media
