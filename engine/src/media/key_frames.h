/// Key frames: where the container says they are, and one decoded alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "media/decoder.h"
#include "media/input.h"

namespace millrace::media {

/// Timestamps of the key frames in the container's index (stream's time base, as the index has
/// them: decoding times in MP4 and AVI); empty without an index over the whole length.
std::vector<int64_t> indexed_key_frames(Input& input, int stream);

/// Whether an edit list leaves out pictures at the beginning that the others need.
bool hides_first_pictures(AVStream& stream);

/// What one key frame is decoded from: its packet, of two fields perhaps two.
struct KeyPackets {
  std::vector<av::Packet> packets;
  int64_t timestamp = 0;  ///< presentation time, in the stream's time base
};

/// Fetches key frames by themselves: nothing before them and nothing between is read.
class KeyFrameFinder {
 public:
  KeyFrameFinder(Input& input, int stream);

  /// The key frame nearest to `target` where the container has an index of them, else the first
  /// one from where a seek leads. Null if it is further away than `tolerance`; the same pointer
  /// as the time before if it is the same one.
  std::shared_ptr<const KeyPackets> near(int64_t target, int64_t tolerance);
  /// Mean distance of the indexed key frames in seconds; 0 without an index.
  double spacing_s() const;

 private:
  std::optional<int64_t> aim_at(int64_t target, int64_t tolerance) const;
  void fetch(int64_t give_up_after);

  Input& input_;
  AVStream& stream_;
  bool two_fields_;  ///< a picture may come in two packets
  std::vector<int64_t> index_;
  std::shared_ptr<const KeyPackets> last_;
  int64_t last_aim_ = AV_NOPTS_VALUE;
};

/// Decodes key frames, each alone. Touches nothing of the input: several may work side by side.
class KeyFrameDecoder {
 public:
  KeyFrameDecoder(const AVStream& stream, int64_t max_pixels);

  /// Nothing if it cannot be decoded without what comes before.
  std::optional<TimedFrame> decode(const KeyPackets& key);

 private:
  Decoder decoder_;
};

}  // namespace millrace::media
