#include "media/tile_maker.h"

#include <utility>

namespace millrace::media {

TileMaker::TileMaker(Input& input, StillFinder& finder, const StoryboardLayout& layout,
                     int64_t max_pixels, int threads)
    : finder_(finder),
      layout_(layout),
      color_(output_color(video_facts(input.format(), input.stream(input.best_video_stream())))),
      busy_(static_cast<size_t>(threads)) {
  const int stream = input.best_video_stream();
  for (int n = 0; n < threads; ++n) {
    workers_.push_back({KeyFrameDecoder(input.stream(stream), max_pixels),
                        StillFinisher(input, stream, layout.tile)});
  }
}

void TileMaker::make(const OnTile& on_tile) {
  for (int n = 0; n < layout_.tiles; ++n) {
    const double time_s = layout_.time_s(n);
    pending_.push_back({time_s, begin(time_s)});
    // What has to be decoded up to its time is decoded at once, while the input is still there.
    finish(pending_.back().result.valid() ? workers_.size() : 0, on_tile);
  }
  finish(0, on_tile);
}

/// Fetches the key frame of a time and has it decoded; invalid where there is none near enough.
TileMaker::Result TileMaker::begin(double time_s) {
  auto key = finder_.key_frame_near(time_s, tolerance_s(layout_));
  if (!key) return {};
  if (key != last_key_) {
    last_result_ = dispatch(key);
    last_key_ = std::move(key);
  }
  return last_result_;
}

TileMaker::Result TileMaker::dispatch(std::shared_ptr<const KeyPackets> key) {
  const size_t mine = next_worker_;
  next_worker_ = (next_worker_ + 1) % workers_.size();
  if (busy_[mine].valid()) busy_[mine].wait();
  const auto work = [this, key = std::move(key), mine]() -> std::optional<Tile> {
    std::optional<TimedFrame> frame = workers_[mine].decoder.decode(*key);
    if (!frame) return std::nullopt;
    return scaled(workers_[mine].finisher.finish(std::move(*frame)));
  };
  busy_[mine] = std::async(std::launch::async, work).share();
  return busy_[mine];
}

void TileMaker::finish(size_t most_left, const OnTile& on_tile) {
  while (pending_.size() > most_left) {
    const Pending first = std::move(pending_.front());
    pending_.pop_front();
    const std::optional<Tile> tile = first.result.valid() ? first.result.get() : std::nullopt;
    on_tile(tile ? *tile : scaled(finder_.nearest(first.time_s)));
  }
}

Tile TileMaker::scaled(const Still& still) const {
  return {av::share(to_rgb_inside(*still.picture, color_, layout_.tile)), still.time_s};
}

}  // namespace millrace::media
