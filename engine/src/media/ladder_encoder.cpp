#include "media/ladder_encoder.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace millrace::media {

namespace {

constexpr int64_t kQueueBytes = 96 << 20;
constexpr int64_t kHeldBytes = 800 << 20;         ///< wished for
constexpr int64_t kMostHeldBytes = 1900LL << 20;  ///< else renditions are encoded one by one
constexpr int kLeastSegmentFrames = 8;
constexpr int kSpareFrames = 8;

int64_t pixels(const RenditionPlan& rendition) {
  return int64_t{rendition.width} * rendition.height;
}

const RenditionPlan& smallest(const Plan& plan) {
  return *std::min_element(
      plan.renditions.begin(), plan.renditions.end(),
      [](const auto& left, const auto& right) { return pixels(left) < pixels(right); });
}

const RenditionPlan& largest(const Plan& plan) {
  return *std::max_element(
      plan.renditions.begin(), plan.renditions.end(),
      [](const auto& left, const auto& right) { return pixels(left) < pixels(right); });
}

bool can_be_guided(const Plan& plan, const RenditionPlan& base) {
  const bool alike = std::all_of(
      plan.renditions.begin(), plan.renditions.end(), [&base](const RenditionPlan& other) {
        return other.codec == VideoCodec::H264 && other.profile == base.profile;
      });
  return plan.renditions.size() > 1 && alike && plan.segment_frames >= kLeastSegmentFrames &&
         can_guide(plan.preset, base.profile);
}

int64_t held_frame_bytes(const RenditionPlan& rendition) {
  return pixels(rendition) * 3 / 2;
}

}  // namespace

LadderEncoder::LadderEncoder(const Options& options)
    : options_(options), permits_(options.threads) {
  if (!start_guided()) start_alone();
}

LadderEncoder::~LadderEncoder() {
  if (budget_) budget_->abandon();
  workers_.clear();  // the guide tells the others of segments, so it ends before them
}

RenditionWorker::Context LadderEncoder::context() {
  const int64_t frame_bytes =
      std::max<int64_t>(1, int64_t{options_.source_width} * options_.source_height * 2);
  const auto queue = static_cast<size_t>(std::clamp<int64_t>(kQueueBytes / frame_bytes, 2, 24));
  const auto on_failure = [this] {
    if (budget_) budget_->abandon();
  };
  return {options_.plan,     options_.color, queue,         options_.threads, options_.output,
          options_.listener, permits_,       options_.stop, on_failure};
}

void LadderEncoder::start_alone() {
  for (const RenditionPlan& rendition : options_.plan.renditions) {
    workers_.push_back(std::make_unique<RenditionWorker>(rendition, context()));
  }
}

/// False where renditions have to be encoded each by itself.
bool LadderEncoder::start_guided() {
  const Plan& plan = options_.plan;
  const RenditionPlan& base = smallest(plan);
  const RenditionPlan& top = largest(plan);
  if (!can_be_guided(plan, base)) return false;
  const int delay = guide_delay(plan.preset);
  const int64_t needed = plan.segment_frames + delay + kSpareFrames;
  if (needed * held_frame_bytes(top) > kMostHeldBytes) return false;
  const int64_t wished = std::min<int64_t>(kHeldBytes / held_frame_bytes(top),
                                           2 * plan.segment_frames + delay + kSpareFrames);
  budget_.emplace(static_cast<size_t>(std::max(needed, wished)));
  largest_.emplace(top.width, top.height);
  for (const RenditionPlan& rendition : plan.renditions) {
    if (&rendition == &base) continue;
    guided_.push_back(std::make_unique<GuidedWorker>(rendition, base, context()));
  }
  workers_.push_back(std::make_unique<RenditionWorker>(
      base, context(), [this](SegmentStatistics statistics) { dispatch(std::move(statistics)); }));
  return true;
}

void LadderEncoder::push(int64_t slot, const av::SharedFrame& frame) {
  if (!budget_) {
    for (auto& worker : workers_) worker->push(slot, frame);
    return;
  }
  if (frame != last_pushed_) {
    last_scaled_ = largest_->scale(frame);
    last_pushed_ = frame;
  }
  const av::SharedFrame held = budget_->hold(last_scaled_);
  if (!held) return rethrow();
  {
    const std::lock_guard lock(mutex_);
    if (first_waiting_ < 0) first_waiting_ = slot;
    waiting_.push_back(held);
  }
  workers_.front()->push(slot, held);
}

/// In the guide's thread: the frames of a segment go to those who waited for its statistics.
void LadderEncoder::dispatch(SegmentStatistics statistics) {
  KnownSegment segment;
  {
    const std::lock_guard lock(mutex_);
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(statistics.pictures.size());
    segment.frames.assign(waiting_.begin(), end);
    waiting_.erase(waiting_.begin(), end);
    segment.first_slot = first_waiting_;
    first_waiting_ += static_cast<int64_t>(segment.frames.size());
  }
  segment.statistics = std::make_shared<const SegmentStatistics>(std::move(statistics));
  for (auto& worker : guided_) worker->push(segment);
}

void LadderEncoder::rethrow() {
  for (auto& worker : workers_) worker->rethrow();
  for (auto& worker : guided_) worker->rethrow();
}

void LadderEncoder::finish() {
  for (auto& worker : workers_) worker->finish();
  for (auto& worker : guided_) worker->finish();
}

int64_t LadderEncoder::frames_encoded() const {
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const auto& worker : workers_) least = std::min(least, worker->frames_encoded());
  for (const auto& worker : guided_) least = std::min(least, worker->frames_encoded());
  return least;
}

}  // namespace millrace::media
