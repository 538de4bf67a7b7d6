#include "media/rendition_worker.h"

#include <utility>

namespace millrace::media {

namespace {
/// Holds one permit while computing.
class Permit {
 public:
  explicit Permit(CpuPermits& permits) : permits_(permits) { permits_.acquire(); }
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;
  ~Permit() { permits_.release(); }

 private:
  CpuPermits& permits_;
};
}  // namespace

RenditionWorker::RenditionWorker(const RenditionPlan& rendition, const Context& context)
    : rendition_(rendition),
      context_(context),
      scaler_(rendition.width, rendition.height),
      segmenter_(rendition.name, context.plan.frame_rate, context.plan.segment_frames,
                 context.output, context.listener),
      queue_(context.queue_frames),
      encoder_(open_encoder()) {
  VideoTrack track;
  track.width = rendition.width;
  track.height = rendition.height;
  track.timescale = VideoSegmenter::timescale_for(context.plan.frame_rate);
  track.color = context.color;
  track.headers = encoder_->headers();
  track.maxrate_bps = rendition.maxrate_bps;
  track.bufsize_bits = rendition.bufsize_bits;
  segmenter_.write_init_segment(std::move(track), encoder_->reorder_frames());
  thread_ = std::thread([this] { run(); });
}

RenditionWorker::~RenditionWorker() {
  queue_.abandon();
  if (thread_.joinable()) thread_.join();
}

void RenditionWorker::push(int64_t slot, av::SharedFrame frame) {
  if (!queue_.push({slot, std::move(frame)})) rethrow();
}

void RenditionWorker::finish() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
  rethrow();
}

void RenditionWorker::rethrow() {
  const std::lock_guard lock(failure_mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

void RenditionWorker::run() {
  try {
    work();
  } catch (...) {  // handed to the thread that pushes; reported in main
    const std::lock_guard lock(failure_mutex_);
    failure_ = std::current_exception();
    queue_.abandon();
  }
}

void RenditionWorker::work() {
  while (auto item = queue_.pop()) {
    context_.stop.check();
    process(*item);
  }
  context_.stop.check();
  close_encoder();
  segmenter_.finish();
}

std::unique_ptr<X264Encoder> RenditionWorker::open_encoder() const {
  return std::make_unique<X264Encoder>(
      X264Encoder::Options{rendition_, context_.plan.preset, context_.plan.frame_rate,
                           context_.plan.segment_frames, context_.color});
}

void RenditionWorker::close_encoder() {
  if (!encoder_) return;
  const Permit permit(context_.permits);
  encoder_->finish([this](CodedPicture picture) { segmenter_.add(std::move(picture)); });
  encoder_.reset();
}

void RenditionWorker::process(const Item& item) {
  // A chunk starts with a fresh encoder even in a whole pass: its state must not leak over the
  // border, so that a chunk made alone has the same pictures.
  const bool chunk_start = item.slot % context_.plan.chunk_frames() == 0;
  if (chunk_start && encoder_used_) close_encoder();
  if (!encoder_) encoder_ = open_encoder();
  encoder_used_ = true;
  const Permit permit(context_.permits);
  if (item.frame != last_input_) {
    last_scaled_ = scaler_.scale(item.frame);
    last_input_ = item.frame;
  }
  const bool segment_start = item.slot % context_.plan.segment_frames == 0;
  encoder_->encode(*last_scaled_, item.slot, segment_start,
                   [this](CodedPicture picture) { segmenter_.add(std::move(picture)); });
  frames_encoded_.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace millrace::media
