/// Random access to the bytes of one source; the only way the engine reads anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "millrace/engine.h"

namespace millrace::media {

/// Bytes of a file or a URL. Errors are `EngineError`s; a stop request ends a wait.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  /// Total length in bytes.
  virtual int64_t size() const = 0;
  /// Fills as much of `into` as there is at `offset`; 0 only at or past the end.
  virtual size_t read_at(int64_t offset, std::span<uint8_t> into) = 0;
  /// Bytes fetched from the file or the network so far (not: delivered).
  virtual int64_t bytes_read() const = 0;

  /// Up to `length` bytes from `offset`, fewer only at the end of the source.
  std::vector<uint8_t> read_block(int64_t offset, size_t length);
};

/// How a source will be read: from a position on, or a little here and a little there.
enum class Access { Sequential, Scattered };

/// Opens a path or an http(s) URL. `stop` must outlive the result.
std::unique_ptr<ByteSource> open_source(const Source& source, const StopToken& stop,
                                        Access access = Access::Sequential);

}  // namespace millrace::media
