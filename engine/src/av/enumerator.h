/// Enumerators that came out of a file.
#pragma once

#include <cstring>

namespace millrace::av {

/// The value of a libav field, or `otherwise` where it is none of the type's: some decoders hand on
/// the source's byte as it is, and merely to load such a value is undefined.
template <typename Enum>
Enum known(const Enum& field, Enum end, Enum otherwise) {
  int value = 0;
  static_assert(sizeof value == sizeof field);
  std::memcpy(&value, &field, sizeof value);
  return value >= 0 && value < static_cast<int>(end) ? static_cast<Enum>(value) : otherwise;
}

}  // namespace millrace::av
