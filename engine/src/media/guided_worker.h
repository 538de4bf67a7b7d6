/// A larger rendition's thread: whole segments whose pictures are known from the smallest one.
#pragma once

#include <atomic>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "media/bounded_queue.h"
#include "media/guided_rate_control.h"
#include "media/rendition_worker.h"
#include "media/x264_encoder.h"

namespace millrace::media {

/// A segment's frames and what was found out about them.
struct KnownSegment {
  int64_t first_slot = 0;
  std::vector<av::SharedFrame> frames;
  std::shared_ptr<const SegmentStatistics> statistics;
};

class GuidedWorker {
 public:
  /// `guide` is the rendition that the statistics come from.
  GuidedWorker(const RenditionPlan& rendition, const RenditionPlan& guide,
               const RenditionWorker::Context& context);
  GuidedWorker(const GuidedWorker&) = delete;
  GuidedWorker& operator=(const GuidedWorker&) = delete;
  ~GuidedWorker();

  /// Never waits: what is held is bounded by those who make segments.
  void push(KnownSegment segment) { queue_.push(std::move(segment)); }
  /// Waits until everything pushed is written; throws what went wrong.
  void finish();
  void rethrow() { thread_->rethrow(); }

  int64_t frames_encoded() const { return frames_encoded_.load(std::memory_order_relaxed); }

 private:
  void work();
  void process(KnownSegment segment);
  std::unique_ptr<X264Encoder> open_encoder(const SegmentStatistics& statistics) const;
  void take(CodedPicture picture);

  RenditionWorker::Context context_;
  RenditionOutput output_;
  GuidedRateControl rate_control_;
  DecoderConfig config_;
  int64_t first_slot_ = 0;
  BoundedQueue<KnownSegment> queue_{std::numeric_limits<size_t>::max()};
  std::atomic<int64_t> frames_encoded_{0};
  std::optional<WorkerThread> thread_;
};

}  // namespace millrace::media
