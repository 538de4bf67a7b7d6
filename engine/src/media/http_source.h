/// A source behind http(s), read by range requests.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <optional>

#include "media/block_cache.h"
#include "media/byte_source.h"
#include "media/range_client.h"

namespace millrace::media {

/// Blocks, the last 16 MiB of them kept, fetched with retries and always of the same entity tag.
class HttpSource final : public ByteSource {
 public:
  HttpSource(const Source& source, const StopToken& stop, Access access);
  HttpSource(const HttpSource&) = delete;
  HttpSource& operator=(const HttpSource&) = delete;
  ~HttpSource() override;

  int64_t size() const override { return size_; }
  size_t read_at(int64_t offset, std::span<uint8_t> into) override;
  int64_t bytes_read() const override { return bytes_read_.load(std::memory_order_relaxed); }

 private:
  std::vector<uint8_t> fetch_range(int64_t offset, int64_t length, int lane);
  std::optional<std::vector<uint8_t>> try_fetch(int64_t offset, int64_t length, int lane);
  void wait_before_retry(int attempt) const;

  const StopToken& stop_;
  std::string url_;
  std::string entity_tag_;  ///< set before the cache's thread starts, constant after
  int64_t max_bytes_read_;
  int64_t block_bytes_;
  int64_t size_ = -1;
  std::atomic<int64_t> bytes_read_{0};
  std::atomic<bool> closing_{false};
  std::array<std::unique_ptr<RangeClient>, 2> lanes_;
  std::unique_ptr<BlockCache> cache_;
};

}  // namespace millrace::media
