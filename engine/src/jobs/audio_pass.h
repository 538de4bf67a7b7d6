/// One audio track, whole or from a segment on: decode → timeline → AAC → segments.
#pragma once

#include <atomic>

#include "jobs/report.h"
#include "jobs/track_pass.h"
#include "media/aac_track_encoder.h"
#include "media/audio_segmenter.h"
#include "media/audio_timeline.h"
#include "media/decoder.h"
#include "media/input.h"
#include "media/plan.h"

namespace millrace::jobs {

class AudioPass : public TrackPass {
 public:
  AudioPass(const TranscodeOptions& options, const media::Plan& plan, const media::AudioPlan& audio,
            const media::OutputFolder& output, Report& report, const StopToken& stop, int threads);

  void run() override;
  void cancel() override { cancelled_.store(true); }
  double done() const override;
  int64_t bytes_read() const override { return input_.bytes_read(); }

 private:
  bool take_decoded(const media::TimedFrame& decoded);

  const media::Plan& plan_;
  media::AudioPlan audio_;
  Report& report_;
  Limits limits_;
  media::Input input_;
  AVStream& stream_;
  int64_t origin_;
  media::TrackListener listener_;
  media::AudioSegmenter segmenter_;
  media::AacTrackEncoder encoder_;
  media::AudioTimeline timeline_;
  media::Decoder decoder_;
  std::atomic<int64_t> position_{0};
  std::atomic<bool> cancelled_{false};
};

}  // namespace millrace::jobs
