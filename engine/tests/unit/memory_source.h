/// A source that is a string.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "media/byte_source.h"

namespace unit {

class MemorySource final : public millrace::media::ByteSource {
 public:
  explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}
  int64_t size() const override { return static_cast<int64_t>(bytes_.size()); }
  size_t read_at(int64_t offset, std::span<uint8_t> into) override {
    if (offset >= size()) return 0;
    const size_t length = std::min(into.size(), bytes_.size() - static_cast<size_t>(offset));
    std::memcpy(into.data(), bytes_.data() + offset, length);
    return length;
  }
  int64_t bytes_read() const override { return 0; }

 private:
  std::string bytes_;
};

}  // namespace unit
