#include "media/key_frames.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "media/video_facts.h"

namespace millrace::media {

namespace {

// With one thread a picture is out at once; more would only wait for the next one.
constexpr int kDecoderThreads = 1;
constexpr double kLargestUnindexedTailS = 30;

bool has_whole_index(const Input& input, const AVStream& stream, int64_t last) {
  const std::string& demuxer = input.container().demuxer;
  const bool mov = demuxer.rfind("mov", 0) == 0;
  if (mov || demuxer == "avi") return !input.fragmented();
  if (demuxer != "matroska,webm") return false;
  const double last_s = static_cast<double>(last) * av_q2d(stream.time_base);
  const double end_s = static_cast<double>(input.format().duration) / AV_TIME_BASE;
  return end_s - last_s < kLargestUnindexedTailS;
}

int64_t time_of(const AVPacket& packet) {
  return packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
}

}  // namespace

std::vector<int64_t> indexed_key_frames(Input& input, int stream_index) {
  AVStream& stream = input.stream(stream_index);
  const int count = avformat_index_get_entries_count(&stream);
  std::vector<int64_t> times;
  for (int n = 0; n < count; ++n) {
    const AVIndexEntry& entry = *avformat_index_get_entry(&stream, n);
    const bool key = (entry.flags & AVINDEX_KEYFRAME) != 0;
    if (key && (entry.flags & AVINDEX_DISCARD_FRAME) == 0) times.push_back(entry.timestamp);
  }
  if (times.empty() || !has_whole_index(input, stream, times.back())) return {};
  std::sort(times.begin(), times.end());
  return times;
}

bool hides_first_pictures(AVStream& stream) {
  const AVIndexEntry* first = avformat_index_get_entry(&stream, 0);
  return first != nullptr && (first->flags & AVINDEX_DISCARD_FRAME) != 0;
}

KeyFrameFinder::KeyFrameFinder(Input& input, int stream)
    : input_(input),
      stream_(input.stream(stream)),
      two_fields_(video_facts(input.format(), stream_).interlaced),
      index_(indexed_key_frames(input, stream)) {}

double KeyFrameFinder::spacing_s() const {
  if (index_.empty()) return 0;
  return input_.duration_s(stream_.index) / static_cast<double>(index_.size());
}

std::shared_ptr<const KeyPackets> KeyFrameFinder::near(int64_t target, int64_t tolerance) {
  const std::optional<int64_t> aim = aim_at(target, tolerance);
  if (!aim) return nullptr;
  if (*aim != last_aim_) {
    last_aim_ = *aim;
    if (input_.seek(stream_.index, *aim)) {
      fetch(target + tolerance);
    } else {
      last_.reset();
    }
  }
  const bool found = last_ && std::abs(last_->timestamp - target) <= tolerance;
  return found ? last_ : nullptr;
}

/// Where to seek; nothing if all indexed key frames are too far away.
std::optional<int64_t> KeyFrameFinder::aim_at(int64_t target, int64_t tolerance) const {
  if (index_.empty()) return target;
  auto key = std::lower_bound(index_.begin(), index_.end(), target);
  const bool has_earlier = key != index_.begin();
  if (key == index_.end() || (has_earlier && target - key[-1] <= *key - target)) --key;
  if (std::abs(*key - target) > tolerance) return std::nullopt;
  // Seeks are by presentation time, the index may be by decoding time, which is some frames
  // earlier: a quarter of the way to the next key frame is in the right group either way.
  const int64_t second = std::llround(1 / av_q2d(stream_.time_base));
  if (key + 1 == index_.end()) return *key + second;
  return *key + std::min((key[1] - *key) / 4, second);
}

/// Reads on to a key frame and keeps it, unless it is the one kept already.
void KeyFrameFinder::fetch(int64_t give_up_after) {
  KeyPackets key;
  av::Packet packet = av::make_packet();
  while (input_.read(*packet)) {
    const int64_t time = time_of(*packet);
    if ((packet->flags & AV_PKT_FLAG_KEY) != 0 && time != AV_NOPTS_VALUE) break;
    if (time != AV_NOPTS_VALUE && time > give_up_after) break;
  }
  if ((packet->flags & AV_PKT_FLAG_KEY) == 0 || packet->size == 0) {
    last_.reset();
    return;
  }
  key.timestamp = time_of(*packet);
  if (last_ && last_->timestamp == key.timestamp) return;
  packet->pts = key.timestamp;
  key.packets.push_back(std::move(packet));
  if (two_fields_) {
    packet = av::make_packet();
    if (input_.read(*packet)) key.packets.push_back(std::move(packet));
  }
  last_ = std::make_shared<const KeyPackets>(std::move(key));
}

KeyFrameDecoder::KeyFrameDecoder(const AVStream& stream, int64_t max_pixels)
    : decoder_(stream, {kDecoderThreads, max_pixels, false}) {}

std::optional<TimedFrame> KeyFrameDecoder::decode(const KeyPackets& key) {
  std::optional<TimedFrame> nearest;
  const auto away = [&](const TimedFrame& frame) {
    return std::abs(frame.timestamp - key.timestamp);
  };
  const auto take = [&](TimedFrame frame) {
    if (!nearest || away(frame) < away(*nearest)) nearest = std::move(frame);
    return true;
  };
  decoder_.flush();
  for (const av::Packet& packet : key.packets) decoder_.decode(packet.get(), take);
  decoder_.decode(nullptr, take);
  return nearest;
}

}  // namespace millrace::media
