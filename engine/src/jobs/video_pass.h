/// One decode of a range of the output's slots for all renditions.
#pragma once

#include <memory>
#include <vector>

#include "jobs/report.h"
#include "media/frame_grid.h"
#include "media/input.h"
#include "media/ladder_encoder.h"
#include "media/normaliser.h"
#include "media/picture_stream.h"
#include "media/plan.h"

namespace millrace::jobs {

class VideoPass {
 public:
  struct Range {
    int64_t start_slot = 0;
    int64_t end_slot = media::SlotFiller::kOpenEnd;
  };

  VideoPass(const TranscodeOptions& options, const media::Plan& plan, Range range,
            const media::OutputFolder& output, Report& report, const StopToken& stop);
  VideoPass(const VideoPass&) = delete;
  VideoPass& operator=(const VideoPass&) = delete;
  ~VideoPass();

  void run();

  /// Output frames encoded in all renditions so far; may be called from another thread.
  int64_t frames_done() const;
  int64_t frames_expected() const;
  int64_t bytes_read() const { return input_.bytes_read(); }

 private:
  enum class Outcome { Complete, SourceEnded, StartedTooLate };

  void decode_range();
  Outcome decode_from_here(bool at_file_start);
  bool judge(const media::TimedFrame& decoded);
  bool fill(media::TimedFrame picture);
  void emit(int64_t slot, const av::SharedFrame& frame);
  void make_filler();
  void judge_damage();
  int64_t first_damage() const;
  double slot_time_s(int64_t slot) const;

  const media::Plan& plan_;
  Range range_;
  Report& report_;
  Limits limits_;
  media::Input input_;
  AVStream& stream_;
  media::VideoFacts facts_;
  media::FrameGrid grid_;
  media::Normaliser normaliser_;
  std::unique_ptr<media::PictureStream> pictures_;
  std::unique_ptr<media::SlotFiller> filler_;
  media::TrackListener listener_;
  std::unique_ptr<media::LadderEncoder> ladder_;
  av::SharedFrame last_frame_;
  av::SharedFrame last_normalised_;
  bool too_late_ = false;
  bool check_start_ = false;
  bool ended_early_ = false;
  int64_t damaged_frames_ = 0;
  int64_t first_damaged_slot_ = 0;
  int64_t last_timestamp_ = AV_NOPTS_VALUE;
  int64_t end_timestamp_ = AV_NOPTS_VALUE;  ///< where the last frame ends
};

}  // namespace millrace::jobs
