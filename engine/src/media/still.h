/// Single pictures: found near a time, converted to RGB, written as PNG.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "media/frame_cursor.h"
#include "media/input.h"
#include "media/key_frames.h"
#include "media/normaliser.h"

namespace millrace::media {

struct Size {
  int width = 0;
  int height = 0;
};
/// A picture of the video, ready to be shown.
struct Still {
  av::SharedFrame picture;  ///< upright, SDR, planar YUV
  double time_s = 0;        ///< since the video's start
};

/// Makes decoded frames into stills.
class StillFinisher {
 public:
  /// HDR pictures come out at the size they have inside `box`; see `Normaliser`.
  StillFinisher(Input& input, int stream, Size box);

  Still finish(TimedFrame frame);

 private:
  AVRational time_base_;
  AVRational aspect_;  ///< as the container or the codec says; 0 = they do not
  int64_t origin_;
  Normaliser normaliser_;
};

/// Finds decodable pictures of the video near given times; cheapest for times in ascending order.
class StillFinder {
 public:
  /// `box`: the largest size stills will be asked for. `threads`: of the decoder.
  StillFinder(Input& input, int64_t max_pixels, Size box, int threads);

  /// The decodable picture nearest to `time_s`; throws CORRUPT when there is none at all.
  Still nearest(double time_s);
  /// Like `nearest`, but moves on (up to some seconds) from pictures that are all but black.
  Still nearest_not_black(double time_s);
  /// A key frame at most `tolerance_s` away; null where there is none, or where it would cost more
  /// to look for one than to decode on.
  std::shared_ptr<const KeyPackets> key_frame_near(double time_s, double tolerance_s);

  double duration_s() const { return input_.duration_s(stream_.index); }
  /// Mean distance of key frames in seconds; 0 where the container has no index of them.
  double key_frame_spacing_s() const { return key_frames_.spacing_s(); }

 private:
  int64_t ticks(double seconds) const;
  int64_t target_of(double time_s) const;

  Input& input_;
  AVStream& stream_;
  int64_t origin_;
  StillFinisher finisher_;
  FrameCursor cursor_;
  KeyFrameFinder key_frames_;
};

/// The largest size of shape `shape` (width / height) inside a box; at least one pixel.
Size fit(double shape, int width, int height);

/// The shape of the video as displayed.
double shape_of(const VideoFacts& facts);

/// Mean brightness of a picture's luma, 0 (black) to 1.
double brightness(const AVFrame& picture);

/// A picture fitted inside a box, display aspect kept, as packed RGB. Pixels missing or left over
/// by rounding are stretched away: what is all but as large as the box fills it.
av::Frame to_rgb_inside(const AVFrame& picture, const ColorTags& color, Size box);

/// A picture fitted inside `width` × `height`, display aspect kept, as a PNG file.
struct Png {
  std::vector<uint8_t> bytes;
  int width = 0;
  int height = 0;
};
Png make_png(const AVFrame& picture, const ColorTags& color, int width, int height);

}  // namespace millrace::media
