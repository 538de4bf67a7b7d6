#include "media/x265_encoder.h"

#include <x265.h>

#include <mutex>
#include <span>
#include <stdexcept>

#include "media/cpu_confinement.h"

void millrace::av::CloseX265::operator()(x265_encoder* encoder) const {
  x265_encoder_close(encoder);
}

void millrace::av::FreeX265Parameters::operator()(x265_param* parameters) const {
  x265_param_free(parameters);
}

namespace millrace::media {

namespace {

int kilobits(int64_t bits) {
  return static_cast<int>(bits / 1000);
}

void set_rate_control(x265_param& parameters, const RateControl& rate) {
  const bool constant_quality = rate.mode == RateControl::Mode::Crf;
  parameters.rc.rateControlMode = constant_quality ? X265_RC_CRF : X265_RC_ABR;
  parameters.rc.rfConstant = rate.crf;
  parameters.rc.bitrate = kilobits(rate.bitrate_bps);
  parameters.rc.vbvMaxBitrate = kilobits(rate.maxrate_bps);
  parameters.rc.vbvBufferSize = kilobits(rate.bufsize_bits);
}

void set_signalling(x265_param& parameters, const ColorTags& color) {
  constexpr int kSquarePixels = 1;
  constexpr int kUnspecifiedFormat = 5;
  parameters.vui.aspectRatioIdc = kSquarePixels;
  parameters.vui.bEnableVideoSignalTypePresentFlag = 1;
  parameters.vui.videoFormat = kUnspecifiedFormat;
  parameters.vui.bEnableVideoFullRangeFlag = 0;
  parameters.vui.bEnableColorDescriptionPresentFlag = 1;
  parameters.vui.colorPrimaries = color.primaries;
  parameters.vui.transferCharacteristics = color.transfer;
  parameters.vui.matrixCoeffs = color.matrix;
  parameters.bAnnexB = 0;
  parameters.bRepeatHeaders = 0;  // they are in the init segment
  parameters.bEnableAccessUnitDelimiters = 0;
  parameters.bEmitInfoSEI = 0;
}

/// One frame at a time, without helpers: the same input gives the same bytes, and parallelism comes
/// from the renditions.
void set_threads(x265_param& parameters) {
  parameters.frameNumThreads = 1;
  parameters.bEnableWavefront = 0;
  parameters.bDistributeModeAnalysis = 0;
  parameters.bDistributeMotionEstimation = 0;
  parameters.lookaheadSlices = 0;
}

void set_structure(x265_param& parameters, const VideoEncoder::Options& options) {
  parameters.sourceWidth = options.rendition.width;
  parameters.sourceHeight = options.rendition.height;
  parameters.internalCsp = X265_CSP_I420;
  parameters.fpsNum = static_cast<uint32_t>(options.frame_rate.num);
  parameters.fpsDenom = static_cast<uint32_t>(options.frame_rate.den);
  parameters.keyframeMax = options.segment_frames;
  parameters.scenecutThreshold = 0;
  parameters.bOpenGOP = 0;
  parameters.levelIdc = options.rendition.level_idc;
  parameters.bHighTier = 0;
  parameters.logLevel = X265_LOG_WARNING;
}

}  // namespace

X265Encoder::X265Encoder(const Options& options) : parameters_(x265_param_alloc()) {
  if (!parameters_) encoder_failed("No memory for the HEVC encoder.");
  if (x265_param_default_preset(parameters_.get(), options.preset.c_str(), nullptr) < 0) {
    throw std::invalid_argument("plan: unknown preset " + options.preset);
  }
  set_structure(*parameters_, options);
  set_threads(*parameters_);
  set_rate_control(*parameters_, options.rendition.rate);
  set_signalling(*parameters_, options.color);
  if (x265_param_apply_profile(parameters_.get(), "main") < 0) {
    encoder_failed("The HEVC profile cannot be applied.");
  }
  {
    static std::mutex tables;  // libx265 fills global tables when it opens an encoder
    const std::lock_guard lock(tables);
    const CpuConfinement confinement(options.threads);
    encoder_.reset(x265_encoder_open(parameters_.get()));
  }
  if (!encoder_)
    encoder_failed("The HEVC encoder refused the settings of " + options.rendition.name + ".");
  x265_encoder_parameters(encoder_.get(), parameters_.get());  // as the encoder settled them
  const bool pyramid = parameters_->bframes > 1 && parameters_->bBPyramid != 0;
  reorder_frames_ = parameters_->bframes == 0 ? 0 : pyramid ? 2 : 1;
  read_headers();
}

void X265Encoder::read_headers() {
  constexpr size_t kLengthBytes = 4;
  x265_nal* units = nullptr;
  uint32_t count = 0;
  if (x265_encoder_headers(encoder_.get(), &units, &count) < 0) encoder_failed("No HEVC headers.");
  std::span<const uint8_t> vps;
  std::span<const uint8_t> sps;
  std::span<const uint8_t> pps;
  for (const x265_nal& unit : std::span{units, count}) {
    const auto content = std::span<const uint8_t>{unit.payload, unit.sizeBytes};
    if (unit.type == NAL_UNIT_VPS) vps = content.subspan(kLengthBytes);
    if (unit.type == NAL_UNIT_SPS) sps = content.subspan(kLengthBytes);
    if (unit.type == NAL_UNIT_PPS) pps = content.subspan(kLengthBytes);
  }
  if (vps.empty() || sps.empty() || pps.empty()) encoder_failed("The HEVC headers are incomplete.");
  config_ = hevc_config(vps, sps, pps);
}

bool X265Encoder::step(x265_picture* input, const OnPicture& on_picture) {
  x265_nal* units = nullptr;
  uint32_t count = 0;
  x265_picture output;
  x265_picture_init(parameters_.get(), &output);
  const int pictures = x265_encoder_encode(encoder_.get(), &units, &count, input, &output);
  if (pictures < 0) encoder_failed("The HEVC encoder failed.");
  if (pictures == 0) return false;
  CodedPicture coded;
  for (const x265_nal& unit : std::span{units, count}) {
    coded.data.insert(coded.data.end(), unit.payload, unit.payload + unit.sizeBytes);
  }
  coded.slot = output.pts;
  coded.idr = output.sliceType == X265_TYPE_IDR;
  coded.disposable = output.sliceType == X265_TYPE_B;
  on_picture(std::move(coded));
  return true;
}

void X265Encoder::encode(const AVFrame& frame, int64_t slot, bool segment_start,
                         const OnPicture& on_picture) {
  x265_picture input;
  x265_picture_init(parameters_.get(), &input);
  input.sliceType = segment_start ? X265_TYPE_IDR : X265_TYPE_AUTO;
  input.pts = slot;
  for (size_t plane = 0; plane < 3; ++plane) {
    input.planes[plane] = frame.data[plane];
    input.stride[plane] = frame.linesize[plane];
  }
  step(&input, on_picture);
}

void X265Encoder::finish(const OnPicture& on_picture) {
  while (step(nullptr, on_picture)) {
  }
}

}  // namespace millrace::media
