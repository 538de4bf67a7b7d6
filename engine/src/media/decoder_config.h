/// What a decoder must know before the first sample: configuration records and codec names.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "media/video_facts.h"

namespace millrace::media {

struct DecoderConfig {
  std::string entry;            ///< type of the sample entry, e.g. "avc1"
  std::string box;              ///< type of the box with the record, e.g. "avcC"
  std::vector<uint8_t> record;  ///< its payload
  std::string codecs;           ///< RFC 6381, e.g. "avc1.64001f"
  /// H.264: the SPS and the PPS, for containers that repeat them among the pictures.
  std::vector<std::vector<uint8_t>> parameter_sets;
};

/// AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1) of NAL units without length prefix.
DecoderConfig avc_config(std::span<const uint8_t> sps, std::span<const uint8_t> pps);

/// HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1), 8-bit 4:2:0. Samples hold no
/// parameter sets: "hvc1", which is what Apple's players ask for.
DecoderConfig hevc_config(std::span<const uint8_t> vps, std::span<const uint8_t> sps,
                          std::span<const uint8_t> pps);

/// AV1CodecConfigurationRecord (AV1 in ISOBMFF, 2.3) of a sequence header OBU. The codec's name
/// tells the colours only where they are not the BT.709 that players assume.
DecoderConfig av1_config(std::span<const uint8_t> sequence_header);

}  // namespace millrace::media
