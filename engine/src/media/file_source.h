/// A regular local file.
#pragma once

#include <atomic>

#include "media/byte_source.h"

namespace millrace::media {

class FileSource final : public ByteSource {
 public:
  FileSource(const Source& source, const StopToken& stop);
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override;

  int64_t size() const override { return size_; }
  size_t read_at(int64_t offset, std::span<uint8_t> into) override;
  int64_t bytes_read() const override { return bytes_read_.load(std::memory_order_relaxed); }

 private:
  const StopToken& stop_;
  int64_t max_bytes_read_;
  int descriptor_ = -1;
  int64_t size_ = 0;
  std::atomic<int64_t> bytes_read_{0};
};

/// Throws LIMIT_EXCEEDED when `bytes_read` is past a positive `limit`.
void check_bytes_read(int64_t bytes_read, int64_t limit);

}  // namespace millrace::media
