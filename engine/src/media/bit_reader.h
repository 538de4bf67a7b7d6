/// Big-endian bit fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

namespace millrace::media {

class BitReader {
 public:
  explicit BitReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  /// The next `count` (up to 32) bits. Throws `std::invalid_argument` at the end.
  uint32_t bits(int count) {
    uint32_t value = 0;
    for (int n = 0; n < count; ++n) value = value << 1 | static_cast<uint32_t>(flag());
    return value;
  }

  bool flag() {
    if (at_ / 8 >= bytes_.size()) throw std::invalid_argument("a header ends early");
    const bool set = (bytes_[at_ / 8] >> (7 - at_ % 8) & 1) != 0;
    ++at_;
    return set;
  }

  void skip(int count) { bits(count); }

 private:
  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
};

}  // namespace millrace::media
