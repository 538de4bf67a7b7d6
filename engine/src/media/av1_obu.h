/// As much of the AV1 bit stream as its container needs (AV1 specification, 5.3 to 5.5).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace millrace::media {

struct Obu {
  enum Type : uint8_t { SequenceHeader = 1, TemporalDelimiter = 2, FrameHeader = 3, Frame = 6 };

  int type = 0;
  std::span<const uint8_t> whole;  ///< with header and size
  std::span<const uint8_t> payload;
};

/// The OBUs of a temporal unit, which all must state their size. Throws `std::invalid_argument`.
std::vector<Obu> split_obus(std::span<const uint8_t> unit);

/// The fields of a sequence header that the container repeats.
struct SequenceHeader {
  uint32_t profile = 0;
  uint32_t level_index = 0;  ///< seq_level_idx[0]: 4 × (major − 2) + minor
  bool high_tier = false;
  bool high_bit_depth = false;
  bool monochrome = false;
  bool subsampling_x = false;
  bool subsampling_y = false;
  uint32_t chroma_sample_position = 0;
  uint32_t color_primaries = 2;
  uint32_t transfer = 2;
  uint32_t matrix = 2;
  bool full_range = false;
};

/// Reads the payload of a sequence header OBU of profile 0 without a timing model, as encoders of
/// files write it. Throws `std::invalid_argument` for others.
SequenceHeader read_sequence_header(std::span<const uint8_t> payload);

}  // namespace millrace::media
