/// Makes any decoded picture one the scaler takes: upright, planar YUV, standard dynamic range.
#pragma once

#include <optional>

#include "media/filter_chain.h"
#include "media/tone_mapper.h"
#include "media/video_facts.h"

namespace millrace::media {

/// Memoryless: the result depends on the given picture alone, so chunks agree with a whole pass.
class Normaliser {
 public:
  /// HDR pictures come out tone-mapped, fitted into `hdr_width` × `hdr_height` (the largest size
  /// needed): tone mapping is dear, so it happens once and not above that size.
  Normaliser(VideoFacts facts, AVRational time_base, int hdr_width, int hdr_height);

  av::SharedFrame apply(const av::SharedFrame& frame);

 private:
  std::string description_for(const AVFrame& frame) const;
  std::string hdr_description_for(const AVFrame& frame) const;
  av::SharedFrame filter(const av::SharedFrame& frame);

  VideoFacts facts_;
  AVRational time_base_;
  int hdr_width_;
  int hdr_height_;
  std::optional<FilterChain> chain_;
  std::string description_;
  std::optional<ToneMapper> tone_mapper_;
};

/// zimg reads this format as it is: planar YUV in native byte order, 8 to 16 bits.
bool is_scalable(AVPixelFormat format);

}  // namespace millrace::media
