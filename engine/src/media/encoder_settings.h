/// What an encoder of libavcodec is told beyond size, rate and times: its own options.
#pragma once

#include "av/ptr.h"
#include "media/picture_encoder.h"

namespace millrace::media {

/// The encoder's name in libavcodec.
const char* encoder_name(AVCodecID codec);
/// Sets preset, quality, passes, threads and HDR's static metadata.
void set_encoder_options(const PictureEncoder::Options& options, av::Dictionary& dictionary);

}  // namespace millrace::media
