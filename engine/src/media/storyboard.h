/// A video at a glance: small pictures at even intervals, tiled into few files, and the WebVTT
/// track that tells a player which tile belongs to which time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "av/ptr.h"
#include "media/still.h"
#include "millrace/engine.h"

namespace millrace::media {

/// What goes where. Tile `n` stands for [n, n + 1) intervals; the last one lasts to the end.
struct StoryboardLayout {
  double duration_s = 0;
  double interval_s = 0;
  int tiles = 1;
  int columns = 1;
  int rows = 1;
  Size tile;  ///< pixels, even

  int tiles_per_sprite() const { return columns * rows; }
  int sprites() const { return (tiles + tiles_per_sprite() - 1) / tiles_per_sprite(); }
  /// The time whose picture the tile shows: the middle of what it stands for.
  double time_s(int index) const;
};

/// `shape`: width / height of the video. `key_frame_spacing_s`: 0 = unknown.
StoryboardLayout lay_out(const StoryboardOptions& options, double duration_s, double shape,
                         double key_frame_spacing_s);

/// How far from a tile's time a key frame may be and still stand for it: beyond that, decoding up
/// to the exact frame is worth it.
double tolerance_s(const StoryboardLayout& layout);

/// "storyboard/00.jpg"
std::string sprite_path(int index);

/// The cues, one a tile, without gaps from zero to the end; paths relative to the track's own.
std::string to_vtt(const StoryboardLayout& layout);

/// A grid of tiles that becomes one JPEG file.
class Sprite {
 public:
  explicit Sprite(const StoryboardLayout& layout);

  /// Puts a packed RGB picture into the next tile, in its middle.
  void add(const AVFrame& rgb);
  bool is_full() const { return used_ == layout_.tiles_per_sprite(); }
  bool is_empty() const { return used_ == 0; }

  struct Jpeg {
    std::vector<uint8_t> bytes;
    int width = 0;
    int height = 0;
  };
  /// The file, no larger than the tiles need; the sprite is empty again.
  Jpeg take();

 private:
  void start();

  StoryboardLayout layout_;
  av::Frame canvas_;
  int used_ = 0;
};

}  // namespace millrace::media
