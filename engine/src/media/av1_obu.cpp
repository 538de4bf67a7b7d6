#include "media/av1_obu.h"

#include <stdexcept>

#include "media/bit_reader.h"

namespace millrace::media {

namespace {

void require(bool condition, const char* what) {
  if (!condition) throw std::invalid_argument(std::string{"AV1: "} + what);
}

/// 4.10.5; moves `at` behind the number.
size_t read_leb128(std::span<const uint8_t> bytes, size_t& at) {
  constexpr int kMostBytes = 8;
  size_t value = 0;
  for (int n = 0; n < kMostBytes; ++n) {
    require(at < bytes.size(), "an OBU ends early");
    const uint8_t byte = bytes[at++];
    value |= static_cast<size_t>(byte & 0x7f) << (7 * n);
    if ((byte & 0x80) == 0) break;
  }
  return value;
}

/// 5.3.2
Obu read_obu(std::span<const uint8_t> bytes) {
  constexpr uint8_t kHasExtension = 0x04;
  constexpr uint8_t kHasSize = 0x02;
  const uint8_t header = bytes.front();
  require((header & kHasSize) != 0, "an OBU without its size");
  size_t at = (header & kHasExtension) != 0 ? 2 : 1;
  const size_t size = read_leb128(bytes, at);
  require(size <= bytes.size() - at, "an OBU ends early");
  return {header >> 3 & 0x0f, bytes.first(at + size), bytes.subspan(at, size)};
}

/// 5.5.2, of profile 0: 4:2:0 or monochrome, 8 or 10 bits.
void read_color_config(BitReader& in, SequenceHeader& header) {
  header.high_bit_depth = in.flag();
  header.monochrome = in.flag();
  if (in.flag()) {  // color_description_present_flag
    header.color_primaries = in.bits(8);
    header.transfer = in.bits(8);
    header.matrix = in.bits(8);
  }
  header.full_range = in.flag();
  header.subsampling_x = header.subsampling_y = true;
  if (!header.monochrome) header.chroma_sample_position = in.bits(2);
}

/// 5.5.1, operating points; the first one is the whole stream.
void read_operating_points(BitReader& in, SequenceHeader& header) {
  constexpr uint32_t kLowestWithTiers = 8;
  require(!in.flag(), "a timing model is not expected");
  const bool initial_display_delay = in.flag();
  const uint32_t count = in.bits(5) + 1;
  for (uint32_t n = 0; n < count; ++n) {
    in.skip(12);
    const uint32_t level = in.bits(5);
    const bool high_tier = level >= kLowestWithTiers && in.flag();
    if (initial_display_delay && in.flag()) in.skip(4);
    if (n > 0) continue;
    header.level_index = level;
    header.high_tier = high_tier;
  }
}

/// 5.5.1, from enable_order_hint to seq_force_integer_mv.
void skip_order_hint_tools(BitReader& in) {
  const bool order_hint = in.flag();
  if (order_hint) in.skip(2);
  const bool choose_screen_content_tools = in.flag();
  const bool screen_content_tools = choose_screen_content_tools || in.flag();
  if (screen_content_tools) {
    const bool choose_integer_mv = in.flag();
    if (!choose_integer_mv) in.skip(1);
  }
  if (order_hint) in.skip(3);
}

}  // namespace

std::vector<Obu> split_obus(std::span<const uint8_t> unit) {
  std::vector<Obu> list;
  while (!unit.empty()) {
    list.push_back(read_obu(unit));
    unit = unit.subspan(list.back().whole.size());
  }
  return list;
}

SequenceHeader read_sequence_header(std::span<const uint8_t> payload) {
  BitReader in(payload);
  SequenceHeader header;
  header.profile = in.bits(3);
  require(header.profile == 0, "profile 0 is expected");
  in.skip(1);  // still_picture
  require(!in.flag(), "a still picture's header is not expected");
  read_operating_points(in, header);
  const auto width_bits = static_cast<int>(in.bits(4)) + 1;
  const auto height_bits = static_cast<int>(in.bits(4)) + 1;
  in.skip(width_bits);
  in.skip(height_bits);
  if (in.flag()) in.skip(4 + 3);  // frame ids
  in.skip(3);                     // use_128x128_superblock to enable_intra_edge_filter
  in.skip(4);                     // enable_interintra_compound to enable_dual_filter
  skip_order_hint_tools(in);
  in.skip(3);  // enable_superres to enable_restoration
  read_color_config(in, header);
  return header;
}

}  // namespace millrace::media
