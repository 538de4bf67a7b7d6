// Of a build without the GPL's encoders (-DMILLRACE_GPL=OFF): H.264 comes from OpenH264, each
// rendition by itself. What asks for the others links to this, and is told that they are not here.
#include <string>

#include "media/openh264_encoder.h"
#include "media/svt_av1_encoder.h"
#include "media/trial_encoder.h"
#include "media/video_encoder.h"
#include "media/x264_encoder.h"
#include "millrace/engine.h"

namespace {

[[noreturn]] void absent(const std::string& what) {
  throw millrace::EngineError(
      millrace::Reason::UnsupportedCodec,
      "This engine was built without " + what + ". Use one that has it, or choose another codec.");
}

}  // namespace

// Nobody can have made one.
void millrace::av::CloseX264::operator()(x264_t* /*encoder*/) const {}

namespace millrace::media {

std::unique_ptr<VideoEncoder> open_video_encoder(const VideoEncoder::Options& options) {
  switch (options.rendition.codec) {
    case VideoCodec::Hevc:
      absent("libx265, which encodes HEVC");
    case VideoCodec::Av1:
      return std::make_unique<SvtAv1Encoder>(options);
    case VideoCodec::H264:
      break;
  }
  return std::make_unique<OpenH264Encoder>(options);
}

bool can_guide(const std::string& /*preset*/, const std::string& /*profile*/) {
  return false;
}

int guide_delay(const std::string& /*preset*/) {
  absent("libx264");
}

// NOLINTBEGIN(readability-convert-member-functions-to-static): the headers are those of other
// builds
X264Encoder::X264Encoder(const Options& /*options*/) {
  absent("libx264");
}

void X264Encoder::encode(const AVFrame& /*frame*/, int64_t /*slot*/, bool /*segment_start*/,
                         const OnPicture& /*on_picture*/, int /*qp*/) {
  absent("libx264");
}

void X264Encoder::finish(const OnPicture& /*on_picture*/) {
  absent("libx264");
}

TrialEncoder::TrialEncoder(const Plan& /*plan*/, const RenditionPlan& /*rendition*/, int /*crf*/) {
  absent("libx264, which the analysis of a title encodes with");
}

void TrialEncoder::encode(const AVFrame& /*picture*/, int64_t /*slot*/,
                          const OnPicture& /*on_picture*/) {
  absent("libx264");
}

void TrialEncoder::finish(const OnPicture& /*on_picture*/) {
  absent("libx264");
}
// NOLINTEND(readability-convert-member-functions-to-static)

}  // namespace millrace::media
