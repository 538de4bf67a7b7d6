#include "media/curl_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <mutex>
#include <string_view>
#include <utility>

#include "millrace/engine.h"

namespace millrace::media {

namespace {

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

/// "bytes 0-99/1234" or "bytes */1234" → 1234; -1 when unknown.
int64_t total_from_content_range(std::string_view value) {
  const auto slash = value.rfind('/');
  if (slash == std::string_view::npos) return -1;
  const std::string_view digits = value.substr(slash + 1);
  int64_t total = -1;
  const char* end = digits.data() + digits.size();
  return std::from_chars(digits.data(), end, total).ec == std::errc{} ? total : -1;
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

CURL* new_easy() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  return curl_easy_init();
}

}  // namespace

/// What one request collects.
struct CurlClient::Exchange {
  const Cancelled& cancelled;
  size_t expected;
  RangeAnswer answer;

  static size_t on_body(char* data, size_t size, size_t count, void* self_pointer) {
    auto* self = static_cast<Exchange*>(self_pointer);
    const size_t length = size * count;
    // A server that ignores ranges must not make us hold the whole file.
    if (self->answer.body.size() + length > self->expected) return 0;
    self->answer.body.insert(self->answer.body.end(), data, data + length);
    return length;
  }

  static size_t on_header(char* data, size_t size, size_t count, void* self_pointer) {
    auto* self = static_cast<Exchange*>(self_pointer);
    const std::string_view line{data, size * count};
    const auto colon = line.find(':');
    if (colon != std::string_view::npos) {
      const std::string name = lower(line.substr(0, colon));
      const std::string_view value = trim(line.substr(colon + 1));
      if (name == "etag") self->answer.entity_tag = value;
      if (name == "content-range") self->answer.total = total_from_content_range(value);
    }
    return size * count;
  }

  static int on_progress(void* self_pointer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const Exchange*>(self_pointer)->cancelled() ? 1 : 0;
  }
};

void CurlClient::CloseEasy::operator()(void* easy) const {
  curl_easy_cleanup(easy);
}

CurlClient::CurlClient(std::string url, Cancelled cancelled)
    : url_(std::move(url)), cancelled_(std::move(cancelled)), easy_(new_easy()) {
  if (!easy_) throw EngineError(Reason::Internal, "libcurl could not be initialised.");
}

CurlClient::~CurlClient() = default;

RangeAnswer CurlClient::get(const std::string& entity_tag, int64_t offset, int64_t length) {
  Exchange exchange{cancelled_, static_cast<size_t>(length), {}};
  exchange.answer.body.reserve(exchange.expected);
  CURL* easy = easy_.get();
  curl_easy_reset(easy);
  const std::string range = std::to_string(offset) + "-" + std::to_string(offset + length - 1);
  configure(exchange, range);
  std::unique_ptr<curl_slist, FreeList> headers;
  if (!entity_tag.empty() && entity_tag.rfind("W/", 0) != 0) {
    headers.reset(curl_slist_append(nullptr, ("If-Match: " + entity_tag).c_str()));
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  const CURLcode code = curl_easy_perform(easy);
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &exchange.answer.status);
  if (code == CURLE_OK) exchange.answer.transfer = Transfer::Complete;
  if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT) {
    exchange.answer.transfer = Transfer::BadAddress;
  }
  return std::move(exchange.answer);
}

void CurlClient::configure(Exchange& exchange, const std::string& range) const {
  CURL* easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(easy, CURLOPT_RANGE, range.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);  // a redirect may lead anywhere: refuse
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, kConnectTimeoutS);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, kStallTimeoutS);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "millrace-engine/1");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &Exchange::on_progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &exchange);
}

}  // namespace millrace::media
