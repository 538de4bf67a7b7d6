/// Big-endian bytes and nested boxes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace millrace::media {

class BoxWriter {
 public:
  void u8(uint32_t value) { bytes_.push_back(static_cast<uint8_t>(value)); }
  void u16(uint32_t value) { big_endian(value, 2); }
  void u24(uint32_t value) { big_endian(value, 3); }
  void u32(uint32_t value) { big_endian(value, 4); }
  void u64(uint64_t value) { big_endian(value, 8); }
  void i32(int32_t value) { u32(static_cast<uint32_t>(value)); }
  void text(std::string_view value) { bytes_.insert(bytes_.end(), value.begin(), value.end()); }
  void raw(std::span<const uint8_t> value) {
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }
  void zeros(size_t count) { bytes_.insert(bytes_.end(), count, 0); }

  /// Writes a box whose payload `body` writes; its size is filled in afterwards.
  template <typename Body>
  void box(std::string_view type, Body body) {
    const size_t start = bytes_.size();
    u32(0);
    text(type);
    body();
    patch_u32(start, static_cast<uint32_t>(bytes_.size() - start));
  }
  template <typename Body>
  void full_box(std::string_view type, uint32_t version, uint32_t flags, Body body) {
    box(type, [&] {
      u8(version);
      u24(flags);
      body();
    });
  }

  size_t position() const { return bytes_.size(); }
  void reserve(size_t count) { bytes_.reserve(count); }
  void patch_u32(size_t at, uint32_t value) {
    for (size_t i = 0; i < 4; ++i) bytes_[at + i] = static_cast<uint8_t>(value >> (24 - 8 * i));
  }
  std::vector<uint8_t> take() { return std::move(bytes_); }

 private:
  void big_endian(uint64_t value, int count) {
    for (int i = count - 1; i >= 0; --i) bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
  }

  std::vector<uint8_t> bytes_;
};

}  // namespace millrace::media
