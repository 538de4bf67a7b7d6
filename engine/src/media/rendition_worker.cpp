#include "media/rendition_worker.h"

#include <algorithm>
#include <utility>

#include "media/x264_encoder.h"

namespace millrace::media {

RenditionWorker::RenditionWorker(const RenditionPlan& rendition, const Context& context,
                                 OnSegment on_segment)
    : context_(context),
      on_segment_(std::move(on_segment)),
      output_(rendition, context.plan, context.color, context.output, context.listener),
      queue_(context.queue_frames) {
  if (on_segment_) statistics_.emplace(rendition.width, rendition.height);
  encoder_ = open_encoder();
  output_.write_init_segment(*encoder_);
  thread_.emplace([this] { work(); },
                  [this] {
                    queue_.abandon();
                    context_.on_failure();
                  });
}

RenditionWorker::~RenditionWorker() {
  queue_.abandon();
  thread_->join();
}

void RenditionWorker::push(int64_t slot, av::SharedFrame frame) {
  if (!queue_.push({slot, std::move(frame)})) thread_->rethrow();
}

void RenditionWorker::finish() {
  queue_.close();
  thread_->join();
  thread_->rethrow();
}

void RenditionWorker::work() {
  while (auto item = queue_.pop()) {
    context_.stop.check();
    process(*item);
  }
  context_.stop.check();
  close_encoder();
  output_.finish();
}

std::unique_ptr<VideoEncoder> RenditionWorker::open_encoder() {
  if (!statistics_) return open_video_encoder(output_.encoder_options(context_.threads));
  X264Encoder::Options options(output_.encoder_options(context_.threads));
  statistics_->restart();
  options.statistics_out = statistics_->path();
  return std::make_unique<X264Encoder>(options);
}

void RenditionWorker::close_encoder() {
  if (!encoder_) return;
  const CpuPermit permit(context_.permits);
  encoder_->finish([this](CodedPicture picture) { take(std::move(picture)); });
  tell_segments(true);
  encoder_.reset();
}

void RenditionWorker::take(CodedPicture picture) {
  ++pictures_untold_;
  output_.add(std::move(picture));
}

/// GOPs are closed, so a segment is whole when as many pictures are out as it has.
void RenditionWorker::tell_segments(bool at_end) {
  if (!statistics_) return;
  const int64_t length = context_.plan.segment_frames;
  while (pictures_untold_ >= length || (at_end && pictures_untold_ > 0)) {
    const int64_t count = std::min(pictures_untold_, length);
    on_segment_(statistics_->take(count));
    pictures_untold_ -= count;
  }
}

void RenditionWorker::process(const Item& item) {
  // A chunk starts with a fresh encoder even in a whole pass: its state must not leak over the
  // border, so that a chunk made alone has the same pictures.
  const bool chunk_start = context_.plan.starts_chunk(item.slot);
  if (chunk_start && encoder_used_) close_encoder();
  if (!encoder_) encoder_ = open_encoder();
  encoder_used_ = true;
  const CpuPermit permit(context_.permits);
  const bool segment_start = item.slot % context_.plan.segment_frames == 0;
  encoder_->encode(output_.scaled(item.frame), item.slot, segment_start,
                   [this](CodedPicture picture) { take(std::move(picture)); });
  tell_segments(false);
  frames_encoded_.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace millrace::media
