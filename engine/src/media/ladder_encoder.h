/// All renditions of one run of frames.
///
/// The smallest H.264 rendition is encoded as usual; what its lookahead finds out spares the larger
/// ones a lookahead of their own. They follow a segment behind, so the frames of up to two segments
/// are held. Where that would need too much memory, the preset looks nowhere ahead, or a
/// rendition is not H.264, each rendition is encoded by itself.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "media/frame_budget.h"
#include "media/guided_worker.h"
#include "media/rendition_worker.h"

namespace millrace::media {

class LadderEncoder {
 public:
  struct Options {
    const Plan& plan;
    ColorTags color;
    int source_width = 0;  ///< of the frames that are pushed, for the length of queues
    int source_height = 0;
    int threads = 1;
    const OutputFolder& output;
    const TrackListener& listener;
    const StopToken& stop;
  };

  explicit LadderEncoder(const Options& options);
  LadderEncoder(const LadderEncoder&) = delete;
  LadderEncoder& operator=(const LadderEncoder&) = delete;
  ~LadderEncoder();

  /// Slots count up by one, the first one begins a segment. May wait; throws what ended a
  /// rendition.
  void push(int64_t slot, const av::SharedFrame& frame);
  /// Waits until everything is written; throws what went wrong.
  void finish();
  /// By the rendition that is last.
  int64_t frames_encoded() const;

 private:
  void start_alone();
  bool start_guided();
  RenditionWorker::Context context();
  void dispatch(SegmentStatistics statistics);
  void rethrow();

  Options options_;
  CpuPermits permits_;
  std::mutex mutex_;
  std::deque<av::SharedFrame> waiting_;  ///< pushed; their segment is not yet known
  int64_t first_waiting_ = -1;           ///< its slot
  std::optional<FrameBudget> budget_;
  std::optional<Scaler> largest_;  ///< what is held has the largest rendition's size and format
  av::SharedFrame last_pushed_;
  av::SharedFrame last_scaled_;
  std::vector<std::unique_ptr<GuidedWorker>> guided_;
  std::vector<std::unique_ptr<RenditionWorker>> workers_;  ///< the guide, or all
};

}  // namespace millrace::media
