/// The tiles of a storyboard: key frames where there are any, decoded on several threads.
#pragma once

#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "media/still.h"
#include "media/storyboard.h"

namespace millrace::media {

/// A picture of the tile's size, packed RGB.
struct Tile {
  std::shared_ptr<const AVFrame> picture;
  double time_s = 0;  ///< of the picture, since the video's start
};

class TileMaker {
 public:
  using OnTile = std::function<void(const Tile&)>;

  /// `finder` looks at `input` with its options.
  TileMaker(Input& input, StillFinder& finder, const StoryboardLayout& layout, int64_t max_pixels,
            int threads);

  /// Makes all tiles; hands them on in their order, on the calling thread.
  void make(const OnTile& on_tile);

 private:
  /// Decodes and scales beside the others.
  struct Worker {
    KeyFrameDecoder decoder;
    StillFinisher finisher;
  };
  using Result = std::shared_future<std::optional<Tile>>;
  struct Pending {
    double time_s = 0;
    Result result;
  };

  Result begin(double time_s);
  Result dispatch(std::shared_ptr<const KeyPackets> key);
  void finish(size_t most_left, const OnTile& on_tile);
  Tile scaled(const Still& still) const;

  StillFinder& finder_;
  StoryboardLayout layout_;
  ColorTags color_;
  std::vector<Worker> workers_;
  std::vector<Result> busy_;  ///< what each worker does or did last
  size_t next_worker_ = 0;
  std::shared_ptr<const KeyPackets> last_key_;
  Result last_result_;
  std::deque<Pending> pending_;
};

}  // namespace millrace::media
