#include "media/openh264_encoder.h"

#include <wels/codec_api.h>

#include <span>

#include "media/svt_av1_encoder.h"

namespace millrace::media {

namespace {

constexpr size_t kStartCodeBytes = 4;
constexpr uint8_t kTypeBits = 0x1f;
constexpr uint8_t kSequenceParameters = 7;
constexpr uint8_t kPictureParameters = 8;

ECOMPLEXITY_MODE complexity(const std::string& preset) {
  const int speed = svt_av1_preset(preset);  // the same ten names
  return speed >= 10 ? LOW_COMPLEXITY : speed >= 7 ? MEDIUM_COMPLEXITY : HIGH_COMPLEXITY;
}

EProfileIdc profile_idc(const std::string& profile) {
  if (profile == "baseline") return PRO_BASELINE;
  return profile == "main" ? PRO_MAIN : PRO_HIGH;
}

int target_bps(const RateControl& rate) {
  const bool quality = rate.mode == RateControl::Mode::Crf;
  return static_cast<int>(quality ? rate.maxrate_bps * 2 / 3 : rate.bitrate_bps);
}

void set_signalling(SSpatialLayerConfig& layer, const ColorTags& color) {
  constexpr unsigned char kUnspecifiedFormat = 5;
  layer.bVideoSignalTypePresent = true;
  layer.uiVideoFormat = kUnspecifiedFormat;
  layer.bFullRange = false;
  layer.bColorDescriptionPresent = true;
  layer.uiColorPrimaries = static_cast<unsigned char>(color.primaries);
  layer.uiTransferCharacteristics = static_cast<unsigned char>(color.transfer);
  layer.uiColorMatrix = static_cast<unsigned char>(color.matrix);
  layer.bAspectRatioPresent = true;
  layer.eAspectRatio = ASP_1x1;
}

void set_layer(SEncParamExt& parameters, const VideoEncoder::Options& options) {
  SSpatialLayerConfig& layer = parameters.sSpatialLayers[0];
  layer.iVideoWidth = options.rendition.width;
  layer.iVideoHeight = options.rendition.height;
  layer.fFrameRate = parameters.fMaxFrameRate;
  layer.iSpatialBitrate = parameters.iTargetBitrate;
  layer.iMaxSpatialBitrate = parameters.iMaxBitrate;
  layer.uiProfileIdc = profile_idc(options.rendition.profile);
  layer.uiLevelIdc = static_cast<ELevelIdc>(options.rendition.level_idc);
  layer.sSliceArgument.uiSliceMode = SM_SINGLE_SLICE;
  set_signalling(layer, options.color);
}

SEncParamExt parameters_for(ISVCEncoder& encoder, const VideoEncoder::Options& options) {
  SEncParamExt parameters;
  encoder.GetDefaultParams(&parameters);
  parameters.iUsageType = CAMERA_VIDEO_REAL_TIME;
  parameters.iPicWidth = options.rendition.width;
  parameters.iPicHeight = options.rendition.height;
  parameters.iRCMode = RC_BITRATE_MODE;
  parameters.iTargetBitrate = target_bps(options.rendition.rate);
  parameters.iMaxBitrate = static_cast<int>(options.rendition.rate.maxrate_bps);
  parameters.fMaxFrameRate = static_cast<float>(av_q2d(options.frame_rate));
  parameters.iComplexityMode = complexity(options.preset);
  parameters.uiIntraPeriod = static_cast<unsigned>(options.segment_frames);
  parameters.eSpsPpsIdStrategy = CONSTANT_ID;
  parameters.iEntropyCodingModeFlag = options.rendition.profile == "baseline" ? 0 : 1;
  parameters.bEnableFrameSkip = false;
  parameters.bEnableSceneChangeDetect = false;  // key frames belong on the grid
  parameters.iMultipleThreadIdc = 1;            // parallelism comes from the renditions
  set_layer(parameters, options);
  return parameters;
}

/// The NAL units of a layer, without their start codes.
template <typename OnUnit>
void each_unit(const SFrameBSInfo& coded, const OnUnit& on_unit) {
  for (const SLayerBSInfo& layer :
       std::span{coded.sLayerInfo, static_cast<size_t>(coded.iLayerNum)}) {
    const uint8_t* next = layer.pBsBuf;
    for (const int bytes :
         std::span{layer.pNalLengthInByte, static_cast<size_t>(layer.iNalCount)}) {
      on_unit(std::span{next, static_cast<size_t>(bytes)}.subspan(kStartCodeBytes));
      next += bytes;
    }
  }
}

void append(std::vector<uint8_t>& sample, std::span<const uint8_t> unit) {
  const size_t bytes = unit.size();
  for (const int shift : {24, 16, 8, 0}) sample.push_back(static_cast<uint8_t>(bytes >> shift));
  sample.insert(sample.end(), unit.begin(), unit.end());
}

}  // namespace

void OpenH264Encoder::Destroy::operator()(ISVCEncoder* encoder) const {
  encoder->Uninitialize();
  WelsDestroySVCEncoder(encoder);
}

OpenH264Encoder::OpenH264Encoder(const Options& options) : frame_rate_(options.frame_rate) {
  ISVCEncoder* made = nullptr;
  if (WelsCreateSVCEncoder(&made) != 0) encoder_failed("OpenH264 could not be made.");
  encoder_.reset(made);
  int loudness = WELS_LOG_ERROR;
  made->SetOption(ENCODER_OPTION_TRACE_LEVEL, &loudness);
  const SEncParamExt parameters = parameters_for(*made, options);
  if (made->InitializeExt(&parameters) != cmResultSuccess) {
    encoder_failed("OpenH264 refused the settings of " + options.rendition.name + ".");
  }
  read_headers();
}

void OpenH264Encoder::read_headers() {
  SFrameBSInfo coded{};
  if (encoder_->EncodeParameterSets(&coded) != cmResultSuccess) encoder_failed("No H.264 headers.");
  std::span<const uint8_t> sps;
  std::span<const uint8_t> pps;
  each_unit(coded, [&](std::span<const uint8_t> unit) {
    if ((unit[0] & kTypeBits) == kSequenceParameters) sps = unit;
    if ((unit[0] & kTypeBits) == kPictureParameters) pps = unit;
  });
  if (sps.size() < 4 || pps.empty()) encoder_failed("The H.264 headers are incomplete.");
  config_ = avc_config(sps, pps);
}

void OpenH264Encoder::encode(const AVFrame& frame, int64_t slot, bool segment_start,
                             const OnPicture& on_picture) {
  SSourcePicture input{};
  input.iColorFormat = videoFormatI420;
  input.iPicWidth = frame.width;
  input.iPicHeight = frame.height;
  input.uiTimeStamp = slot * 1000 * frame_rate_.den / frame_rate_.num;
  for (size_t plane = 0; plane < 3; ++plane) {
    input.pData[plane] = frame.data[plane];
    input.iStride[plane] = frame.linesize[plane];
  }
  if (segment_start) encoder_->ForceIntraFrame(true);
  SFrameBSInfo output{};
  if (encoder_->EncodeFrame(&input, &output) != cmResultSuccess) encoder_failed("OpenH264 failed.");
  CodedPicture coded;
  each_unit(output, [&](std::span<const uint8_t> unit) {
    const int type = unit[0] & kTypeBits;
    // They are in the init segment.
    if (type != kSequenceParameters && type != kPictureParameters) append(coded.data, unit);
  });
  if (coded.data.empty()) encoder_failed("OpenH264 left out a picture.");
  coded.slot = slot;
  coded.idr = output.eFrameType == videoFrameTypeIDR;
  on_picture(std::move(coded));
}

}  // namespace millrace::media
