/// One rendition's thread: frames of the grid → scale → encode → segment.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include "media/bounded_queue.h"
#include "media/first_pass.h"
#include "media/rendition_output.h"
#include "media/worker_thread.h"
#include "millrace/engine.h"

namespace millrace::media {

class RenditionWorker {
 public:
  /// Told of each segment, in order, what guides the encoders of larger renditions.
  using OnSegment = std::function<void(SegmentStatistics)>;

  struct Context {
    const Plan& plan;
    ColorTags color;
    size_t queue_frames = 8;
    int threads = 1;
    const OutputFolder& output;
    const TrackListener& listener;
    CpuPermits& permits;
    const StopToken& stop;
    std::function<void()> on_failure = [] {};
  };

  RenditionWorker(const RenditionPlan& rendition, const Context& context,
                  OnSegment on_segment = nullptr);
  RenditionWorker(const RenditionWorker&) = delete;
  RenditionWorker& operator=(const RenditionWorker&) = delete;
  /// Gives up what is not finished.
  ~RenditionWorker();

  /// Waits for room in the queue; throws what ended the worker, if something did.
  void push(int64_t slot, av::SharedFrame frame);
  /// Waits until everything pushed is written; throws what went wrong.
  void finish();
  void rethrow() { thread_->rethrow(); }

  int64_t frames_encoded() const { return frames_encoded_.load(std::memory_order_relaxed); }

 private:
  struct Item {
    int64_t slot = 0;
    av::SharedFrame frame;
  };

  void work();
  void process(const Item& item);
  std::unique_ptr<VideoEncoder> open_encoder();
  void close_encoder();
  void take(CodedPicture picture);
  void tell_segments(bool at_end);

  Context context_;
  OnSegment on_segment_;
  RenditionOutput output_;
  std::optional<StatisticsReader> statistics_;
  BoundedQueue<Item> queue_;
  std::unique_ptr<VideoEncoder> encoder_;
  bool encoder_used_ = false;
  int64_t pictures_untold_ = 0;
  std::atomic<int64_t> frames_encoded_{0};
  std::optional<WorkerThread> thread_;
};

}  // namespace millrace::media
