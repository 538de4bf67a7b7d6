#include "media/http_source.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "media/curl_client.h"
#include "media/fetcher.h"
#include "media/file_source.h"

namespace millrace::media {

namespace {

constexpr int64_t kCacheBytes = 16 << 20;
// Of a key frame somewhere in the file, a few hundred kilobytes are wanted and no more.
constexpr int64_t kSequentialBlockBytes = 1 << 20;
constexpr int64_t kScatteredBlockBytes = 256 << 10;
constexpr int64_t kLongestRun = 4;  // blocks read ahead at once
constexpr int kMaxAttempts = 6;
constexpr auto kFirstBackOff = std::chrono::milliseconds(200);

bool is_retryable_status(long status) {
  return status >= 500 || status == 408 || status == 425 || status == 429;
}

/// By the process that fetches, where there is one.
std::unique_ptr<RangeClient> client_for(const std::string& url, const Cancelled& cancelled) {
  if (auto client = Fetcher::connect(url, cancelled)) return client;
  return std::make_unique<CurlClient>(url, cancelled);
}

}  // namespace

HttpSource::HttpSource(const Source& source, const StopToken& stop, Access access)
    : stop_(stop),
      url_(source.location),
      entity_tag_(source.if_match),
      max_bytes_read_(source.limits.max_bytes_read),
      block_bytes_(access == Access::Scattered ? kScatteredBlockBytes : kSequentialBlockBytes) {
  for (auto& lane : lanes_) {
    lane = client_for(url_, [this] { return stop_.requested() || closing_.load(); });
  }
  std::vector<uint8_t> first = fetch_range(0, block_bytes_, 0);
  const BlockCache::Options options{static_cast<size_t>(kCacheBytes / block_bytes_),
                                    access == Access::Scattered ? 1 : kLongestRun,
                                    (size_ + block_bytes_ - 1) / block_bytes_,
                                    static_cast<size_t>(block_bytes_)};
  cache_ = std::make_unique<BlockCache>(options, [this](BlockCache::Run run, int lane) {
    const int64_t offset = run.first * block_bytes_;
    return fetch_range(offset, std::min(run.count * block_bytes_, size_ - offset), lane);
  });
  if (size_ > 0) cache_->put(0, std::move(first));
}

HttpSource::~HttpSource() {
  closing_.store(true);
  cache_.reset();
}

size_t HttpSource::read_at(int64_t offset, std::span<uint8_t> into) {
  stop_.check();
  if (offset < 0 || offset >= size_ || into.empty()) return 0;
  const BlockCache::Block block = cache_->get(offset / block_bytes_);
  const auto inside = static_cast<size_t>(offset % block_bytes_);
  const size_t length = std::min(into.size(), block->size() - inside);
  std::memcpy(into.data(), block->data() + inside, length);
  return length;
}

std::vector<uint8_t> HttpSource::fetch_range(int64_t offset, int64_t length, int lane) {
  for (int attempt = 0;; ++attempt) {
    if (auto bytes = try_fetch(offset, length, lane)) {
      check_bytes_read(bytes_read_.load(), max_bytes_read_);
      return std::move(*bytes);
    }
    if (attempt + 1 == kMaxAttempts) {
      throw EngineError(Reason::SourceUnreadable,
                        "The source's server keeps failing or dropping the connection.");
    }
    wait_before_retry(attempt);
  }
}

/// Nothing = worth another try. Throws for answers that will not change.
std::optional<std::vector<uint8_t>> HttpSource::try_fetch(int64_t offset, int64_t length,
                                                          int lane) {
  RangeAnswer answer = lanes_.at(static_cast<size_t>(lane))->get(entity_tag_, offset, length);
  stop_.check();
  if (closing_.load()) throw Stopped();
  bytes_read_ += static_cast<int64_t>(answer.body.size());
  const long status = answer.status;
  if (answer.transfer == Transfer::BadAddress) {
    throw EngineError(Reason::SourceUnreadable, "The source's address is not a usable URL.");
  }
  if (is_retryable_status(status) || status == 0) return std::nullopt;
  if (status == 404 || status == 410) {
    throw EngineError(Reason::SourceMissing, "The source no longer exists (HTTP 404).");
  }
  const bool other_tag = status == 206 && !entity_tag_.empty() && !answer.entity_tag.empty() &&
                         answer.entity_tag != entity_tag_;
  if (status == 412 || other_tag) {
    throw EngineError(Reason::SourceChanged, "The source was replaced while it was being read.");
  }
  if (status == 416 && size_ < 0 && answer.total <= 0) {
    size_ = 0;  // S3 answers so for an empty object
    return std::vector<uint8_t>{};
  }
  if (status == 416) {
    throw EngineError(Reason::SourceChanged, "The source became shorter while it was being read.");
  }
  if (!cache_ && entity_tag_.empty()) entity_tag_ = answer.entity_tag;
  if (status == 200 && offset == 0 && answer.transfer == Transfer::Complete) {
    size_ = static_cast<int64_t>(answer.body.size());  // no ranges, but all of it fitted
    return std::move(answer.body);
  }
  if (status != 206) {
    throw EngineError(Reason::SourceUnreadable,
                      "The source's server answered HTTP " + std::to_string(status) +
                          (status == 200 ? " without byte ranges." : "."));
  }
  if (size_ < 0) size_ = answer.total;
  if (size_ < 0) {
    throw EngineError(Reason::SourceUnreadable, "The source's server does not tell its length.");
  }
  const int64_t expected = std::min(length, size_ - offset);
  if (answer.transfer != Transfer::Complete ||
      static_cast<int64_t>(answer.body.size()) != expected) {
    return std::nullopt;  // cut short
  }
  return std::move(answer.body);
}

void HttpSource::wait_before_retry(int attempt) const {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + kFirstBackOff * (1 << attempt);
  while (Clock::now() < until) {
    stop_.check();
    if (closing_.load()) throw Stopped();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace millrace::media
