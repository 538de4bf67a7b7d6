#include "media/svt_av1_encoder.h"
#include "media/video_encoder.h"
#include "media/x264_encoder.h"
#include "media/x265_encoder.h"

namespace millrace::media {

std::unique_ptr<VideoEncoder> open_video_encoder(const VideoEncoder::Options& options) {
  switch (options.rendition.codec) {
    case VideoCodec::Hevc:
      return std::make_unique<X265Encoder>(options);
    case VideoCodec::Av1:
      return std::make_unique<SvtAv1Encoder>(options);
    case VideoCodec::H264:
      break;
  }
  return std::make_unique<X264Encoder>(X264Encoder::Options(options));
}

}  // namespace millrace::media
