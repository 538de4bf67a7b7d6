/// What a source says about its high dynamic range beyond the transfer function.
#pragma once

#include <optional>

#include "av/ptr.h"

extern "C" {
#include <libavutil/dovi_meta.h>
#include <libavutil/mastering_display_metadata.h>
}

namespace millrace::media {

struct HdrMetadata {
  std::optional<AVMasteringDisplayMetadata> mastering;  ///< SMPTE ST 2086
  std::optional<AVContentLightMetadata> light;          ///< CTA-861.3: MaxCLL, MaxFALL
  std::optional<AVDOVIDecoderConfigurationRecord> dolby_vision;
};

/// From the container.
HdrMetadata hdr_metadata(const AVStream& stream);
/// Adds what only the coded picture says.
void complete(HdrMetadata& metadata, const AVFrame& frame);

}  // namespace millrace::media
