/// Subtitle tracks, whole, in one pass over the source: decode → cues → WebVTT.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <vector>

#include "jobs/report.h"
#include "jobs/track_pass.h"
#include "media/input.h"
#include "media/plan.h"
#include "media/subtitle_decoder.h"
#include "media/webvtt.h"

namespace millrace::jobs {

class SubtitlePass : public TrackPass {
 public:
  SubtitlePass(const TranscodeOptions& options, const media::Plan& plan,
               const std::vector<media::SubtitlePlan>& tracks, const media::OutputFolder& output,
               Report& report, const StopToken& stop);

  void run() override;
  void cancel() override { stop_.request_stop(); }
  double done() const override;
  int64_t bytes_read() const override { return input_.bytes_read(); }

 private:
  struct Track {
    std::string name;
    const AVStream& stream;
    int64_t origin;
    media::SubtitleDecoder decoder;
    media::WebVttSegmenter segmenter;
  };

  void add_track(const media::SubtitlePlan& subtitles, const media::OutputFolder& output);
  void take(AVPacket& packet);
  void finish(Track& track);

  const media::Plan& plan_;
  Report& report_;
  StopToken stop_;
  media::Input input_;
  media::TrackListener listener_;
  std::vector<std::unique_ptr<Track>> tracks_;
  std::atomic<int64_t> position_ms_{0};
};

}  // namespace millrace::jobs
