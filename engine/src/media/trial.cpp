#include "media/trial.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "media/scaler.h"
#include "media/trial_encoder.h"
#include "media/vmaf_model.h"

namespace millrace::media {

namespace {

// The last pictures are coded without seeing what follows: they are neither judged nor counted.
constexpr size_t kTail = 6;
constexpr std::array<size_t, 2> kJudgedSlots = {6, 15};

Plane luma_of(const AVFrame& picture) {
  return luma_plane(picture.data[0], picture.linesize[0], picture.width, picture.height);
}

/// A picture for the scaler; only its luma means anything.
av::SharedFrame picture_of(const TrialPicture& coded, int width, int height) {
  av::Frame frame = av::make_picture(AV_PIX_FMT_YUV420P, width, height);
  for (int y = 0; y < height; ++y) {
    std::memcpy(frame->data[0] + static_cast<std::ptrdiff_t>(y) * frame->linesize[0],
                coded.luma + y * coded.stride, static_cast<size_t>(width));
  }
  for (int plane = 1; plane < 3; ++plane) {
    const auto bytes =
        static_cast<size_t>(frame->linesize[plane]) * static_cast<size_t>((height + 1) / 2);
    std::memset(frame->data[plane], 128, bytes);
  }
  return av::share(std::move(frame));
}

/// Bytes by what they recur with: each segment has one IDR and many other pictures.
struct Cost {
  int64_t idr_bytes = 0;
  int64_t other_bytes = 0;
  int64_t others = 0;

  void add(const TrialPicture& coded) {
    if (coded.slot == 0) {
      idr_bytes += coded.bytes;
    } else {
      other_bytes += coded.bytes;
      ++others;
    }
  }

  double bps(const Plan& plan) const {
    const double other =
        others == 0 ? 0 : static_cast<double>(other_bytes) / static_cast<double>(others);
    const double segment_bytes = static_cast<double>(idr_bytes) + other * (plan.segment_frames - 1);
    return segment_bytes * 8 * av_q2d(plan.frame_rate) / plan.segment_frames;
  }
};

}  // namespace

TrialBench::TrialBench(const Plan& plan, const TitleSample& sample)
    : plan_(plan),
      width_(sample.pictures.front()->width),
      height_(sample.pictures.front()->height) {
  const size_t count = sample.pictures.size();
  const bool long_enough = count > kJudgedSlots.back() + kTail;
  counted_ = static_cast<int64_t>(long_enough ? count - kTail : count);
  if (long_enough) {
    for (const size_t slot : kJudgedSlots) add_judged(sample, slot);
  } else {
    add_judged(sample, count / 2);
  }
}

void TrialBench::add_judged(const TitleSample& sample, size_t slot) {
  const size_t before = slot == 0 ? slot : slot - 1;
  const size_t after = std::min(slot + 1, sample.pictures.size() - 1);
  const Plane luma = luma_of(*sample.pictures[slot]);
  const double motion = std::min(difference(luma_of(*sample.pictures[before]), luma),
                                 difference(luma, luma_of(*sample.pictures[after])));
  judged_.push_back({static_cast<int64_t>(slot), JudgedPicture(luma), motion});
}

TrialResult TrialBench::run(const RenditionPlan& rendition,
                            const std::vector<av::SharedFrame>& pictures, int crf) const {
  TrialEncoder encoder(plan_, rendition, crf);
  Scaler enlarger(width_, height_);
  Cost cost;
  TrialResult result;
  const auto take = [&](const TrialPicture& coded) {
    if (coded.slot < counted_) cost.add(coded);
    for (const Judged& judged : judged_) {
      if (judged.slot != coded.slot) continue;
      const auto shown = enlarger.scale(picture_of(coded, rendition.width, rendition.height));
      const Fidelity fidelity = compare(judged.reference, JudgedPicture(luma_of(*shown)));
      result.vmaf += estimate_vmaf(fidelity, judged.motion) / static_cast<double>(judged_.size());
    }
  };
  for (size_t slot = 0; slot < pictures.size(); ++slot) {
    encoder.encode(*pictures[slot], static_cast<int64_t>(slot), take);
  }
  encoder.finish(take);
  result.bps = cost.bps(plan_);
  return result;
}

std::vector<av::SharedFrame> scaled(const std::vector<av::SharedFrame>& pictures, int width,
                                    int height) {
  Scaler scaler(width, height);
  std::vector<av::SharedFrame> result;
  result.reserve(pictures.size());
  for (const auto& picture : pictures) result.push_back(scaler.scale(picture));
  return result;
}

}  // namespace millrace::media
