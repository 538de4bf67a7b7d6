#include "media/http_source.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <thread>

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
constexpr long kConnectTimeoutS = 10;
constexpr long kStallTimeoutS = 30;  // below one byte per second for that long: try again

std::string lower(std::string_view text) {
  std::string result{text};
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

void init_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

bool is_retryable_status(long status) {
  return status >= 500 || status == 408 || status == 425 || status == 429;
}

/// "bytes 0-99/1234" or "bytes */1234" → 1234; -1 when unknown.
int64_t total_from_content_range(std::string_view value) {
  const auto slash = value.rfind('/');
  if (slash == std::string_view::npos) return -1;
  const std::string_view digits = value.substr(slash + 1);
  int64_t total = -1;
  const char* end = digits.data() + digits.size();
  return std::from_chars(digits.data(), end, total).ec == std::errc{} ? total : -1;
}

}  // namespace

/// One connection and the answer it is receiving.
class HttpLane {
 public:
  HttpLane(const StopToken& stop, const std::atomic<bool>& closing)
      : stop_(stop), closing_(closing), easy_(curl_easy_init()) {
    if (!easy_) throw EngineError(Reason::Internal, "libcurl could not be initialised.");
  }

  /// Performs one GET of `[offset, offset + length)`.
  CURLcode get(const std::string& url, const std::string& entity_tag, int64_t offset,
               int64_t length) {
    body_.clear();
    body_.reserve(static_cast<size_t>(length));
    etag_.clear();
    content_range_.clear();
    status_ = 0;
    expected_ = length;
    CURL* easy = easy_.get();
    curl_easy_reset(easy);
    const std::string range = std::to_string(offset) + "-" + std::to_string(offset + length - 1);
    std::unique_ptr<curl_slist, FreeList> headers;
    if (!entity_tag.empty() && entity_tag.rfind("W/", 0) != 0) {
      headers.reset(curl_slist_append(nullptr, ("If-Match: " + entity_tag).c_str()));
    }
    configure(easy, url, range, headers.get());
    const CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status_);
    return code;
  }

  long status() const { return status_; }
  const std::string& etag() const { return etag_; }
  int64_t total() const { return total_from_content_range(content_range_); }
  std::vector<uint8_t>& body() { return body_; }

 private:
  struct CloseEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  void configure(CURL* easy, const std::string& url, const std::string& range,
                 curl_slist* headers) {
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_RANGE, range.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);  // a redirect may lead anywhere: refuse
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, kConnectTimeoutS);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, kStallTimeoutS);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "millrace-engine/1");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &HttpLane::on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &HttpLane::on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &HttpLane::on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
  }

  static size_t on_body(char* data, size_t size, size_t count, void* self_pointer) {
    auto* self = static_cast<HttpLane*>(self_pointer);
    const size_t length = size * count;
    // A server that ignores ranges must not make us hold the whole file.
    const auto limit = static_cast<size_t>(self->expected_);
    if (self->body_.size() + length > limit) return 0;
    self->body_.insert(self->body_.end(), data, data + length);
    return length;
  }

  static size_t on_header(char* data, size_t size, size_t count, void* self_pointer) {
    auto* self = static_cast<HttpLane*>(self_pointer);
    const std::string_view line{data, size * count};
    const auto colon = line.find(':');
    if (colon != std::string_view::npos) {
      const std::string name = lower(line.substr(0, colon));
      const std::string_view value = trim(line.substr(colon + 1));
      if (name == "etag") self->etag_ = value;
      if (name == "content-range") self->content_range_ = value;
    }
    return size * count;
  }

  static int on_progress(void* self_pointer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    const auto* self = static_cast<const HttpLane*>(self_pointer);
    return self->stop_.requested() || self->closing_.load() ? 1 : 0;
  }

  const StopToken& stop_;
  const std::atomic<bool>& closing_;
  std::unique_ptr<CURL, CloseEasy> easy_;
  std::vector<uint8_t> body_;
  std::string etag_;
  std::string content_range_;
  long status_ = 0;
  int64_t expected_ = 0;
};

HttpSource::HttpSource(const Source& source, const StopToken& stop, Access access)
    : stop_(stop),
      url_(source.location),
      entity_tag_(source.if_match),
      max_bytes_read_(source.limits.max_bytes_read),
      block_bytes_(access == Access::Scattered ? kScatteredBlockBytes : kSequentialBlockBytes) {
  init_curl_once();
  for (auto& lane : lanes_) lane = std::make_unique<HttpLane>(stop_, closing_);
  std::vector<uint8_t> first = fetch_range(0, block_bytes_, 0);
  if (entity_tag_.empty()) entity_tag_ = lanes_[0]->etag();
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
  HttpLane& http = *lanes_.at(static_cast<size_t>(lane));
  const CURLcode code = http.get(url_, entity_tag_, offset, length);
  stop_.check();
  if (closing_.load()) throw Stopped();
  bytes_read_ += static_cast<int64_t>(http.body().size());
  const long status = http.status();
  if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT) {
    throw EngineError(Reason::SourceUnreadable, "The source's address is not a usable URL.");
  }
  if (is_retryable_status(status) || status == 0) return std::nullopt;
  if (status == 404 || status == 410) {
    throw EngineError(Reason::SourceMissing, "The source no longer exists (HTTP 404).");
  }
  const bool other_tag =
      status == 206 && !entity_tag_.empty() && !http.etag().empty() && http.etag() != entity_tag_;
  if (status == 412 || other_tag) {
    throw EngineError(Reason::SourceChanged, "The source was replaced while it was being read.");
  }
  if (status == 416 && size_ < 0 && http.total() <= 0) {
    size_ = 0;  // S3 answers so for an empty object
    return std::vector<uint8_t>{};
  }
  if (status == 416) {
    throw EngineError(Reason::SourceChanged, "The source became shorter while it was being read.");
  }
  if (status == 200 && offset == 0 && code == CURLE_OK) {
    size_ = static_cast<int64_t>(http.body().size());  // no ranges, but all of it fitted
    return std::move(http.body());
  }
  if (status != 206) {
    throw EngineError(Reason::SourceUnreadable,
                      "The source's server answered HTTP " + std::to_string(status) +
                          (status == 200 ? " without byte ranges." : "."));
  }
  if (size_ < 0) size_ = http.total();
  if (size_ < 0) {
    throw EngineError(Reason::SourceUnreadable, "The source's server does not tell its length.");
  }
  const int64_t expected = std::min(length, size_ - offset);
  if (code != CURLE_OK || static_cast<int64_t>(http.body().size()) != expected) {
    return std::nullopt;  // cut short
  }
  return std::move(http.body());
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
