/// Ranges of a URL, by libcurl.
#pragma once

#include <memory>
#include <string>

#include "media/range_client.h"

namespace millrace::media {

class CurlClient final : public RangeClient {
 public:
  CurlClient(std::string url, Cancelled cancelled);
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;
  ~CurlClient() override;

  RangeAnswer get(const std::string& entity_tag, int64_t offset, int64_t length) override;

 private:
  struct Exchange;
  struct CloseEasy {
    void operator()(void* easy) const;
  };

  void configure(Exchange& exchange, const std::string& range) const;

  std::string url_;
  Cancelled cancelled_;
  std::unique_ptr<void, CloseEasy> easy_;
};

}  // namespace millrace::media
