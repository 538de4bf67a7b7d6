/// What a connection to a source's server is asked, and what it answers.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace millrace::media {

enum class Transfer { Complete, Cut, BadAddress };

struct RangeAnswer {
  Transfer transfer = Transfer::Cut;
  long status = 0;            ///< HTTP's; 0 = there was no answer
  int64_t total = -1;         ///< length of the whole source in bytes; -1 = not told
  std::string entity_tag;     ///< as the server wrote it; empty = none
  std::vector<uint8_t> body;  ///< never longer than what was asked for
};

/// Asked often while bytes are on their way: does nobody want them any more?
using Cancelled = std::function<bool()>;

/// One connection, for one thread at a time.
class RangeClient {
 public:
  RangeClient() = default;
  RangeClient(const RangeClient&) = delete;
  RangeClient& operator=(const RangeClient&) = delete;
  virtual ~RangeClient() = default;

  /// Performs one GET of `[offset, offset + length)`, if the source still has that entity tag.
  virtual RangeAnswer get(const std::string& entity_tag, int64_t offset, int64_t length) = 0;
};

}  // namespace millrace::media
