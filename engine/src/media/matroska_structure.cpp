#include "media/matroska_structure.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace millrace::media {

namespace {

constexpr int64_t kHeaderId = 0x1A45DFA3;
constexpr int64_t kSegmentId = 0x18538067;
constexpr int64_t kTimestampId = 0xE7;
constexpr int64_t kSimpleBlockId = 0xA3;
constexpr int64_t kBlockGroupId = 0xA0;
constexpr int64_t kBlockId = 0xA1;
constexpr std::array<uint8_t, 4> kClusterId = {0x1F, 0x43, 0xB6, 0x75};

/// EBML (RFC 8794) read from front to back; -1 for what is cut or unknown.
class ElementReader {
 public:
  explicit ElementReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  size_t position() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }
  void skip(int64_t count) { at_ += std::min(left(), static_cast<size_t>(count)); }

  int64_t id() { return number(true); }
  int64_t size() { return number(false); }

  /// A big-endian number of a fixed length.
  int64_t value(int64_t length) {
    if (length < 0 || length > 7 || static_cast<size_t>(length) > left()) return -1;
    int64_t value = 0;
    for (int64_t n = 0; n < length; ++n) value = value << 8 | bytes_[at_++];
    return value;
  }

 private:
  int64_t number(bool keep_marker) {
    if (left() == 0 || bytes_[at_] == 0) return -1;
    int length = 1;
    while ((bytes_[at_] & (0x80 >> (length - 1))) == 0) ++length;
    if (static_cast<size_t>(length) > left()) return -1;
    const int mask = (0x80 >> (length - 1)) - 1;
    bool all_ones = (bytes_[at_] & mask) == mask;
    int64_t value = keep_marker ? bytes_[at_] : bytes_[at_] & mask;
    ++at_;
    for (int n = 1; n < length; ++n, ++at_) {
      value = value << 8 | bytes_[at_];
      all_ones = all_ones && bytes_[at_] == 0xff;
    }
    return all_ones && !keep_marker ? -1 : value;
  }

  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
};

/// Ticks of a block relative to its cluster (RFC 9559, 10.1); the reader stands at its payload.
int64_t block_offset(ElementReader reader) {
  reader.size();  // the track's number is coded like a size
  const int64_t raw = reader.value(2);
  return raw < 0 ? 0 : static_cast<int16_t>(raw);
}

/// The last whole block of a cluster whose content begins `cluster`.
std::optional<int64_t> last_block(std::span<const uint8_t> cluster) {
  ElementReader reader(cluster);
  std::optional<int64_t> start;
  int64_t last = 0;
  while (reader.left() > 0) {
    const int64_t id = reader.id();
    const int64_t size = reader.size();
    if (id < 0 || size < 0) break;
    if (id == kBlockGroupId) continue;  // its children are read as if they were the cluster's
    if (static_cast<size_t>(size) > reader.left()) break;
    if (id == kTimestampId) last = start.emplace(ElementReader(reader).value(size));
    const bool block = id == kSimpleBlockId || id == kBlockId;
    if (block && start) last = std::max(last, *start + block_offset(reader));
    reader.skip(size);
  }
  return start ? std::optional(last) : std::nullopt;
}

}  // namespace

int64_t declared_matroska_end(ByteSource& source) {
  constexpr size_t kHead = 4096;
  const std::vector<uint8_t> head = source.read_block(0, kHead);
  ElementReader reader(head);
  if (reader.id() != kHeaderId) return 0;
  const int64_t header_size = reader.size();
  if (header_size < 0 || header_size > static_cast<int64_t>(reader.left())) return 0;
  reader.skip(header_size);
  if (reader.id() != kSegmentId) return 0;
  const int64_t size = reader.size();
  return size < 0 ? 0 : static_cast<int64_t>(reader.position()) + size;
}

std::optional<int64_t> last_matroska_block(ByteSource& source) {
  constexpr int64_t kTail = 16 << 20;  // muxers begin a cluster every 5 s or 5 MB
  const int64_t begin = std::max<int64_t>(0, source.size() - kTail);
  const std::vector<uint8_t> tail = source.read_block(begin, static_cast<size_t>(kTail));
  auto end = tail.end();
  for (;;) {
    const auto found = std::find_end(tail.begin(), end, kClusterId.begin(), kClusterId.end());
    if (found == end) return std::nullopt;
    ElementReader reader(std::span{found + kClusterId.size(), tail.end()});
    reader.size();
    const auto content =
        std::span{found + kClusterId.size(), tail.end()}.subspan(reader.position());
    if (const auto last = last_block(content)) return last;
    end = found;  // four bytes of a picture that look like a cluster's
  }
}

}  // namespace millrace::media
