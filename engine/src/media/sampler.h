/// Short runs of pictures that stand for a whole video.
///
/// Key frames at evenly spaced times are decoded alone and compared: the ones that differ most
/// become samples, each weighted by how many of the others look like it. So a scene that is seen
/// for long counts for much but is decoded once.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "media/decoder.h"
#include "media/input.h"
#include "media/normaliser.h"
#include "media/plan.h"
#include "media/scaler.h"

namespace millrace::media {

struct TitleSample {
  double time_s = 0;                      ///< since the video's start
  double weight = 0;                      ///< share of the video it stands for; all together 1
  std::vector<av::SharedFrame> pictures;  ///< of the judging size, on the plan's frame grid
};

/// A small grey picture of a key frame, for telling scenes apart.
struct SceneMark {
  int64_t timestamp = 0;  ///< of the key frame, in the stream's time base
  int64_t share = 1;      ///< candidates that led to this key frame
  std::vector<float> cells;
};

/// Which marks to sample, with the number of candidates each one stands for. Deterministic.
struct MarkChoice {
  size_t mark = 0;
  int64_t share = 0;
};
std::vector<MarkChoice> choose_marks(const std::vector<SceneMark>& marks, size_t most);

class Sampler {
 public:
  /// Reads the plan's video; pictures come out at the size of `judged`.
  Sampler(Input& input, const Plan& plan, const RenditionPlan& judged, int64_t max_pixels,
          const StopToken& stop);

  /// Hands on one sample after the other.
  void run(const std::function<void(const TitleSample&)>& on_sample);

  int64_t pictures_decoded() const { return scout_.frames() + decoder_.frames(); }
  /// Distinct key frames found: too few stand for nothing.
  size_t key_frames() const { return key_frames_; }

 private:
  std::optional<TimedFrame> key_frame_before(int64_t timestamp);
  std::vector<SceneMark> scout(size_t candidates);
  std::vector<av::SharedFrame> read_run(int64_t timestamp);
  av::SharedFrame prepared(TimedFrame decoded);
  double time_of(int64_t timestamp) const;

  Input& input_;
  const Plan& plan_;
  AVStream& stream_;
  VideoFacts facts_;
  int64_t origin_;
  Normaliser normaliser_;
  Scaler scaler_;
  Decoder scout_;
  Decoder decoder_;
  const StopToken& stop_;
  size_t key_frames_ = 0;
};

}  // namespace millrace::media
