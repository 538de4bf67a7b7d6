/// HDR pictures → SDR pictures, by a table of the tone map.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "av/ptr.h"
#include "media/video_facts.h"

namespace millrace::media {

/// Looks every pixel up in a table over Y'CbCr (65 × 65 × 65 nodes, linear in between; greys lie on
/// nodes, so they stay grey), and dithers to 8 bits. Memoryless: equal pictures give equal ones.
class ToneMapper {
 public:
  explicit ToneMapper(const VideoFacts& facts);

  /// `picture` is 16-bit 4:4:4, limited range; the result is 8-bit 4:2:0 BT.709 of the same size,
  /// which is even.
  av::Frame apply(const AVFrame& picture) const;

 private:
  struct Place;
  static Place place_of(uint32_t luma, uint32_t blue, uint32_t red);
  void map_luma(const AVFrame& picture, AVFrame& result, int row) const;
  void map_chroma(const AVFrame& picture, AVFrame& result, int row) const;

  std::vector<uint16_t> luma_;                   ///< [Cb][Cr][Y'], 8-bit values × 256
  std::vector<std::array<uint16_t, 2>> chroma_;  ///< likewise Cb and Cr
};

}  // namespace millrace::media
