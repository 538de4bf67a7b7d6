#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <vector>

#include "jobs/report.h"
#include "media/output_folder.h"
#include "media/still.h"
#include "media/storyboard.h"
#include "media/tile_maker.h"
#include "media/worker_thread.h"
#include "millrace/engine.h"

namespace millrace {

namespace jobs {
namespace {

using nlohmann::ordered_json;

constexpr const char* kTrack = "storyboard.vtt";

std::string file_name(size_t index) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "%02zu.png", index);
  return name.data();
}

int threads_for(const ThumbnailOptions& options) {
  constexpr int kMost = 16;  // more wait for the source
  return std::min(media::thread_count(options.threads), kMost);
}

/// What the pictures of one run are made with.
struct Studio {
  const ThumbnailOptions& options;
  media::Input& input;
  media::VideoFacts facts;
  media::StillFinder& finder;
  media::OutputFolder output;
  int threads;
};

ordered_json make_still(const Studio& studio, size_t index) {
  const ThumbnailOptions& options = studio.options;
  const double wanted_s = options.times_s[index];
  const auto still = options.skip_black ? studio.finder.nearest_not_black(wanted_s)
                                        : studio.finder.nearest(wanted_s);
  const media::Png png = media::make_png(*still.picture, media::output_color(studio.facts),
                                         options.width, options.height);
  studio.output.write(file_name(index), png.bytes);
  return {{"path", file_name(index)},
          {"requested_s", seconds(wanted_s)},
          {"time_s", seconds(still.time_s)},
          {"width", png.width},
          {"height", png.height},
          {"bytes", png.bytes.size()}};
}

/// In the order of their times, so that the source is passed over once; told in the order asked.
ordered_json make_stills(const Studio& studio) {
  const std::vector<double>& times_s = studio.options.times_s;
  std::vector<size_t> order(times_s.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t left, size_t right) { return times_s[left] < times_s[right]; });
  std::vector<ordered_json> images(times_s.size());
  for (const size_t index : order) images[index] = make_still(studio, index);
  return images;
}

ordered_json finish_sprite(const Studio& studio, media::Sprite& sprite, int index) {
  const media::Sprite::Jpeg jpeg = sprite.take();
  const std::string path = media::sprite_path(index);
  studio.output.write(path, jpeg.bytes);
  return {
      {"path", path}, {"width", jpeg.width}, {"height", jpeg.height}, {"bytes", jpeg.bytes.size()}};
}

ordered_json storyboard_json(const media::StoryboardLayout& layout, const ordered_json& sprites,
                             const ordered_json& times) {
  return {{"path", kTrack},
          {"interval_s", seconds(layout.interval_s)},
          {"tile_width", layout.tile.width},
          {"tile_height", layout.tile.height},
          {"columns", layout.columns},
          {"rows", layout.rows},
          {"sprites", sprites},
          {"times_s", times}};
}

/// The track is written last: it names only sprites that are there.
ordered_json make_storyboard(const Studio& studio) {
  const media::StoryboardLayout layout =
      media::lay_out(*studio.options.storyboard, studio.finder.duration_s(),
                     media::shape_of(studio.facts), studio.finder.key_frame_spacing_s());
  media::TileMaker tiles(studio.input, studio.finder, layout,
                         studio.options.source.limits.max_pixels, studio.threads);
  media::Sprite sprite(layout);
  ordered_json sprites = ordered_json::array();
  ordered_json times = ordered_json::array();
  tiles.make([&](const media::Tile& tile) {
    sprite.add(*tile.picture);
    times.push_back(seconds(tile.time_s));
    if (!sprite.is_full()) return;
    sprites.push_back(finish_sprite(studio, sprite, static_cast<int>(sprites.size())));
  });
  if (!sprite.is_empty()) {
    sprites.push_back(finish_sprite(studio, sprite, static_cast<int>(sprites.size())));
  }
  studio.output.write(kTrack, media::to_vtt(layout));
  return storyboard_json(layout, sprites, times);
}

/// HDR is tone-mapped once, at the largest size that is wanted.
media::Size largest(const ThumbnailOptions& options) {
  media::Size size;
  if (!options.times_s.empty()) size = {options.width, options.height};
  if (options.storyboard) {
    size.width = std::max(size.width, options.storyboard->tile_width);
    size.height = std::max(size.height, options.storyboard->tile_height);
  }
  return size;
}

}  // namespace
}  // namespace jobs

void thumbnail(const ThumbnailOptions& options, const EventSink& events, const StopToken& stop) {
  jobs::Report report(events);
  media::Input input(options.source, stop, media::Access::Scattered);
  const int stream = input.best_video_stream();
  input.prepare_seeking(stream);
  const int threads = jobs::threads_for(options);
  media::StillFinder finder(input, options.source.limits.max_pixels, jobs::largest(options),
                            threads);
  const jobs::Studio studio{
      options,
      input,
      media::video_facts(input.format(), input.stream(stream)),
      finder,
      media::OutputFolder(options.output, options.source.limits.max_output_bytes),
      threads};
  nlohmann::ordered_json result = {{"type", "result"}, {"images", jobs::make_stills(studio)}};
  if (options.storyboard) result["storyboard"] = jobs::make_storyboard(studio);
  result["bytes_read"] = input.bytes_read();
  result["warnings"] = report.warnings();
  report.emit(result);
}

}  // namespace millrace
