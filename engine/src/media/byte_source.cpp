#include "media/byte_source.h"

#include <algorithm>

#include "media/file_source.h"
#include "media/http_source.h"

namespace millrace::media {

namespace {
bool has_prefix(const std::string& text, std::string_view prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}
}  // namespace

std::vector<uint8_t> ByteSource::read_block(int64_t offset, size_t length) {
  std::vector<uint8_t> block(length);
  size_t filled = 0;
  while (filled < length) {
    const auto position = offset + static_cast<int64_t>(filled);
    const size_t got = read_at(position, std::span{block}.subspan(filled));
    if (got == 0) break;
    filled += got;
  }
  block.resize(filled);
  return block;
}

std::unique_ptr<ByteSource> open_source(const Source& source, const StopToken& stop,
                                        Access access) {
  if (has_prefix(source.location, "http://") || has_prefix(source.location, "https://")) {
    return std::make_unique<HttpSource>(source, stop, access);
  }
  return std::make_unique<FileSource>(source, stop);
}

}  // namespace millrace::media
