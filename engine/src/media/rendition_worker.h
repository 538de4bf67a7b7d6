/// One rendition's thread: frames of the grid → scale → encode → segment.
#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <semaphore>
#include <thread>

#include "media/bounded_queue.h"
#include "media/plan.h"
#include "media/scaler.h"
#include "media/video_segmenter.h"
#include "media/x264_encoder.h"
#include "millrace/engine.h"

namespace millrace::media {

/// Limits how many threads compute at the same time.
class CpuPermits {
 public:
  explicit CpuPermits(int count) : permits_(count) {}
  void acquire() { permits_.acquire(); }
  void release() { permits_.release(); }

 private:
  std::counting_semaphore<> permits_;
};

class RenditionWorker {
 public:
  struct Context {
    const Plan& plan;
    ColorTags color;
    size_t queue_frames = 8;
    const OutputFolder& output;
    const TrackListener& listener;
    CpuPermits& permits;
    const StopToken& stop;
  };

  RenditionWorker(const RenditionPlan& rendition, const Context& context);
  RenditionWorker(const RenditionWorker&) = delete;
  RenditionWorker& operator=(const RenditionWorker&) = delete;
  /// Gives up what is not finished.
  ~RenditionWorker();

  /// Waits for room in the queue; throws what ended the worker, if something did.
  void push(int64_t slot, av::SharedFrame frame);
  /// Waits until everything pushed is written; throws what went wrong.
  void finish();

  int64_t frames_encoded() const { return frames_encoded_.load(std::memory_order_relaxed); }

 private:
  struct Item {
    int64_t slot = 0;
    av::SharedFrame frame;
  };

  void run();
  void work();
  void process(const Item& item);
  std::unique_ptr<X264Encoder> open_encoder() const;
  void close_encoder();
  void rethrow();

  RenditionPlan rendition_;
  Context context_;
  Scaler scaler_;
  VideoSegmenter segmenter_;
  BoundedQueue<Item> queue_;
  std::unique_ptr<X264Encoder> encoder_;
  bool encoder_used_ = false;
  av::SharedFrame last_input_;
  av::SharedFrame last_scaled_;
  std::atomic<int64_t> frames_encoded_{0};
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace millrace::media
