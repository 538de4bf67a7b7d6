#include "media/guided_worker.h"

#include <utility>

namespace millrace::media {

namespace {

GuidedRateControl::Options rate_options(const RenditionPlan& rendition, const RenditionPlan& guide,
                                        AVRational frame_rate) {
  const double area = static_cast<double>(rendition.width) * rendition.height;
  const double guide_area = static_cast<double>(guide.width) * guide.height;
  return {rendition.rate, 1 / av_q2d(frame_rate), area / guide_area};
}

}  // namespace

GuidedWorker::GuidedWorker(const RenditionPlan& rendition, const RenditionPlan& guide,
                           const RenditionWorker::Context& context)
    : context_(context),
      output_(rendition, context.plan, context.color, context.output, context.listener),
      rate_control_(rate_options(rendition, guide, context.plan.frame_rate)) {
  const X264Encoder encoder(X264Encoder::Options(output_.encoder_options(context.threads)));
  config_ = encoder.config();
  output_.write_init_segment(encoder);
  thread_.emplace([this] { work(); },
                  [this] {
                    queue_.abandon();
                    context_.on_failure();
                  });
}

GuidedWorker::~GuidedWorker() {
  queue_.abandon();
  thread_->join();
}

void GuidedWorker::finish() {
  queue_.close();
  thread_->join();
  thread_->rethrow();
}

void GuidedWorker::work() {
  while (auto segment = queue_.pop()) process(std::move(*segment));
  context_.stop.check();
  output_.finish();
}

std::unique_ptr<X264Encoder> GuidedWorker::open_encoder(const SegmentStatistics& statistics) const {
  X264Encoder::Options options(output_.encoder_options(context_.threads));
  options.guide = &statistics;
  options.guide_qp_shift = rate_control_.qp_fraction();
  auto encoder = std::make_unique<X264Encoder>(options);
  if (encoder->config().record != config_.record) {
    throw EngineError(Reason::Internal, "The H.264 headers changed between segments.");
  }
  return encoder;
}

void GuidedWorker::process(KnownSegment segment) {
  if (context_.plan.starts_chunk(segment.first_slot)) rate_control_.restart();
  rate_control_.begin_segment(*segment.statistics);
  first_slot_ = segment.first_slot;
  const auto on_picture = [this](CodedPicture picture) { take(std::move(picture)); };
  const auto encoder = open_encoder(*segment.statistics);
  int64_t slot = segment.first_slot;
  for (av::SharedFrame& shared : segment.frames) {
    context_.stop.check();
    const av::SharedFrame frame = std::exchange(shared, nullptr);
    const CpuPermit permit(context_.permits);
    encoder->encode(output_.scaled(frame), slot, slot == first_slot_, on_picture,
                    rate_control_.next_qp());
    ++slot;
    frames_encoded_.fetch_add(1, std::memory_order_relaxed);
  }
  const CpuPermit permit(context_.permits);
  encoder->finish(on_picture);
}

void GuidedWorker::take(CodedPicture picture) {
  constexpr double kBitsPerByte = 8;
  rate_control_.report(picture.slot - first_slot_,
                       kBitsPerByte * static_cast<double>(picture.data.size()));
  output_.add(std::move(picture));
}

}  // namespace millrace::media
