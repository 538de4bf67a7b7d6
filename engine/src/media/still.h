/// Single pictures: found near a time, converted to RGB, written as PNG.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "media/decoder.h"
#include "media/input.h"
#include "media/normaliser.h"

namespace millrace::media {

/// Finds decodable pictures of the video near given times.
class StillFinder {
 public:
  /// `width` × `height`: the largest size stills will be asked for.
  StillFinder(Input& input, int64_t max_pixels, int width, int height);

  struct Still {
    av::SharedFrame picture;  ///< upright, SDR, planar YUV
    double time_s = 0;        ///< since the video's start
  };

  /// The decodable picture nearest to `time_s`; throws CORRUPT when there is none at all.
  Still nearest(double time_s);
  /// Like `nearest`, but moves on (up to some seconds) from pictures that are all but black.
  Still nearest_not_black(double time_s);

 private:
  std::optional<TimedFrame> decode_near(int64_t target, bool must_not_be_late);
  double time_of(int64_t timestamp) const;

  Input& input_;
  int stream_index_;
  AVStream& stream_;
  VideoFacts facts_;
  int64_t origin_;
  Normaliser normaliser_;
  Decoder decoder_;
};

struct Size {
  int width = 0;
  int height = 0;
};
/// The largest size of shape `shape` (width / height) inside a box; at least one pixel.
Size fit(double shape, int width, int height);

/// Mean brightness of a picture's luma, 0 (black) to 1.
double brightness(const AVFrame& picture);

/// A picture fitted inside `width` × `height`, display aspect kept, as a PNG file.
struct Png {
  std::vector<uint8_t> bytes;
  int width = 0;
  int height = 0;
};
Png make_png(const AVFrame& picture, const ColorTags& color, int width, int height);

}  // namespace millrace::media
