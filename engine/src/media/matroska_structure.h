/// A look at a Matroska file's elements beside libav: is it whole, and if not, how far does it go?
#pragma once

#include <cstdint>
#include <optional>

#include "media/byte_source.h"

namespace millrace::media {

/// Where the segment says it ends, in bytes; 0 = it does not say.
int64_t declared_matroska_end(ByteSource& source);

/// The time of the last whole block in the file, in the segment's ticks; nothing if the file's end
/// holds no cluster's beginning.
std::optional<int64_t> last_matroska_block(ByteSource& source);

}  // namespace millrace::media
