/// One text subtitle stream's decoder: packets in, the texts of their cues out.
#pragma once

#include <cstdint>
#include <vector>

#include "av/ptr.h"
#include "media/cue_text.h"

namespace millrace::media {

/// The formats that are carried as text: tx3g, SubRip, ASS/SSA, WebVTT, plain text.
bool is_text_subtitle(const AVStream& stream);

class SubtitleDecoder {
 public:
  /// Throws UNSUPPORTED_CODEC.
  explicit SubtitleDecoder(const AVStream& stream);

  /// Nothing for a packet that only ends what was shown before, or that is damaged.
  std::vector<CueText> decode(AVPacket& packet);

  /// Packets that could not be decoded.
  int64_t errors() const { return errors_; }

 private:
  av::Codec codec_;
  bool braces_are_comments_;
  int64_t errors_ = 0;
};

}  // namespace millrace::media
