#include "media/decoder_config.h"

#include <array>
#include <cstdio>
#include <stdexcept>

#include "media/av1_obu.h"
#include "media/box_writer.h"

namespace millrace::media {

namespace {

constexpr uint32_t kFourByteLengths = 3;

/// `format` with one argument, as text.
template <typename... Values>
std::string text_of(const char* format, Values... values) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

/// A NAL unit's first `count` bytes without the bytes that keep start codes out (H.265, 7.4.2).
std::vector<uint8_t> unescaped(std::span<const uint8_t> unit, size_t count) {
  std::vector<uint8_t> bytes;
  int zeros = 0;
  for (const uint8_t byte : unit) {
    if (bytes.size() == count) break;
    const bool escape = zeros >= 2 && byte == 3;
    zeros = byte == 0 ? zeros + 1 : 0;
    if (!escape) bytes.push_back(byte);
  }
  if (bytes.size() < count) throw std::invalid_argument("HEVC: a parameter set ends early");
  return bytes;
}

/// profile_tier_level as SPS, record and codec name have it (H.265, 7.3.3).
struct ProfileTierLevel {
  static constexpr size_t kBytes = 12;

  explicit ProfileTierLevel(std::span<const uint8_t> sps) {
    constexpr size_t kBefore = 3;  // NAL unit header, then ids and flags
    bytes = unescaped(sps, kBefore + kBytes);
    single_layer_flags = bytes[kBefore - 1];
    bytes.erase(bytes.begin(), bytes.begin() + kBefore);
  }

  /// ISO/IEC 14496-15, E.3: compatibility flags with the first one lowest; of the constraint flags
  /// the bytes up to the last one set.
  std::string name() const {
    uint32_t compatibility = 0;
    for (int n = 0; n < 32; ++n) {
      const auto flag = static_cast<uint32_t>(bytes[1 + static_cast<size_t>(n) / 8] >> (7 - n % 8));
      compatibility |= (flag & 1) << n;
    }
    const char tier = (bytes[0] & 0x20) != 0 ? 'H' : 'L';
    std::string text = text_of("hvc1.%d.%X.%c%d", bytes[0] & 0x1f, compatibility, tier, bytes[11]);
    size_t last = 10;
    while (last > 4 && bytes[last] == 0) --last;
    for (size_t n = 5; n <= last; ++n) text += text_of(".%X", bytes[n]);
    return text;
  }

  std::vector<uint8_t> bytes;
  uint8_t single_layer_flags = 0;  ///< sps_video_parameter_set_id, max_sub_layers, nesting
};

void write_parameter_set(BoxWriter& out, std::span<const uint8_t> unit) {
  constexpr uint32_t kComplete = 0x80;  // none in the samples
  out.u8(kComplete | (unit[0] >> 1 & 0x3f));
  out.u16(1);
  out.u16(static_cast<uint32_t>(unit.size()));
  out.raw(unit);
}

std::string av1_name(const SequenceHeader& header) {
  const int depth = header.high_bit_depth ? 10 : 8;
  std::string text = text_of("av01.%u.%02u%c.%02d", header.profile, header.level_index,
                             header.high_tier ? 'H' : 'M', depth);
  constexpr uint32_t kBt709 = 1;
  const bool usual = header.color_primaries == kBt709 && header.transfer == kBt709 &&
                     header.matrix == kBt709 && !header.full_range && !header.monochrome;
  if (usual) return text;
  return text + text_of(".%d.%d%d%u.%02u.%02u.%02u.%d", header.monochrome, header.subsampling_x,
                        header.subsampling_y, header.chroma_sample_position, header.color_primaries,
                        header.transfer, header.matrix, header.full_range);
}

}  // namespace

DecoderConfig avc_config(std::span<const uint8_t> sps, std::span<const uint8_t> pps) {
  BoxWriter out;
  out.u8(1);
  out.raw(sps.subspan(1, 3));  // profile, constraints, level
  out.u8(0xfc | kFourByteLengths);
  out.u8(0xe1);  // one SPS
  out.u16(static_cast<uint32_t>(sps.size()));
  out.raw(sps);
  out.u8(1);
  out.u16(static_cast<uint32_t>(pps.size()));
  out.raw(pps);
  constexpr uint8_t kProfileHigh = 100;
  if (sps[1] >= kProfileHigh) {
    out.u8(0xfd);  // 4:2:0
    out.u8(0xf8);  // 8 bits luma
    out.u8(0xf8);  // 8 bits chroma
    out.u8(0);
  }
  return {"avc1",
          "avcC",
          out.take(),
          text_of("avc1.%02x%02x%02x", sps[1], sps[2], sps[3]),
          {{sps.begin(), sps.end()}, {pps.begin(), pps.end()}}};
}

DecoderConfig hevc_config(std::span<const uint8_t> vps, std::span<const uint8_t> sps,
                          std::span<const uint8_t> pps) {
  const ProfileTierLevel profile(sps);
  const uint32_t temporal_layers = (profile.single_layer_flags >> 1 & 7) + 1U;
  const uint32_t nested = profile.single_layer_flags & 1;
  BoxWriter out;
  out.u8(1);
  out.raw(profile.bytes);
  out.u16(0xf000);  // min_spatial_segmentation_idc: none
  out.u8(0xfc);     // parallelism: unknown
  out.u8(0xfd);     // 4:2:0
  out.u8(0xf8);     // 8 bits luma
  out.u8(0xf8);     // 8 bits chroma
  out.u16(0);       // average frame rate: unspecified
  out.u8(temporal_layers << 3 | nested << 2 | kFourByteLengths);
  out.u8(3);  // arrays
  for (const auto& unit : {vps, sps, pps}) write_parameter_set(out, unit);
  return {"hvc1", "hvcC", out.take(), profile.name(), {}};
}

DecoderConfig av1_config(std::span<const uint8_t> sequence_header) {
  const std::vector<Obu> obus = split_obus(sequence_header);
  if (obus.size() != 1 || obus[0].type != Obu::SequenceHeader) {
    throw std::invalid_argument("AV1: one sequence header is expected");
  }
  const SequenceHeader header = read_sequence_header(obus[0].payload);
  const auto bit = [](bool set, int at) { return static_cast<uint32_t>(set) << at; };
  BoxWriter out;
  out.u8(0x81);  // marker, version 1
  out.u8(header.profile << 5 | header.level_index);
  out.u8(bit(header.high_tier, 7) | bit(header.high_bit_depth, 6) | bit(header.monochrome, 4) |
         bit(header.subsampling_x, 3) | bit(header.subsampling_y, 2) |
         header.chroma_sample_position);
  out.u8(0);  // no initial presentation delay
  out.raw(sequence_header);
  return {"av01", "av1C", out.take(), av1_name(header), {}};
}

}  // namespace millrace::media
