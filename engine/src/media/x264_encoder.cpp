#include "media/x264_encoder.h"

#include <x264.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <optional>
#include <span>

#include "millrace/engine.h"

void millrace::av::CloseX264::operator()(x264_t* encoder) const {
  x264_encoder_close(encoder);
}

namespace millrace::media {

namespace {

constexpr int64_t kBitsPerKilobit = 1000;

[[noreturn]] void fail(const std::string& what) {
  throw EngineError(Reason::Internal, what);
}

void log_x264(void* /*context*/, int level, const char* format, va_list arguments) {
  if (level > X264_LOG_WARNING) return;
  std::fputs("x264: ", stderr);
  std::vfprintf(stderr, format, arguments);
}

void set_rate_control(x264_param_t& parameters, const RateControl& rate) {
  const bool constant_quality = rate.mode == RateControl::Mode::Crf;
  parameters.rc.i_rc_method = constant_quality ? X264_RC_CRF : X264_RC_ABR;
  parameters.rc.f_rf_constant = static_cast<float>(rate.crf);
  parameters.rc.i_bitrate = static_cast<int>(rate.bitrate_bps / kBitsPerKilobit);
  parameters.rc.i_vbv_max_bitrate = static_cast<int>(rate.maxrate_bps / kBitsPerKilobit);
  parameters.rc.i_vbv_buffer_size = static_cast<int>(rate.bufsize_bits / kBitsPerKilobit);
}

/// Types, weights and block offsets come from the guide, quantisers with each picture. Without a
/// buffer model libx264 then looks at nothing ahead.
void set_guided(x264_param_t& parameters) {
  constexpr int kNoWish = 1000;  // kbit/s; no picture is given the quantiser that follows from it
  parameters.rc.i_rc_method = X264_RC_ABR;
  parameters.rc.i_bitrate = kNoWish;
  parameters.rc.i_vbv_max_bitrate = 0;
  parameters.rc.i_vbv_buffer_size = 0;
  parameters.i_log_level = X264_LOG_ERROR;
  // Blocks smaller than 16×16 in pictures with motion: a sixth of the time for 0.1 VMAF at the
  // sizes that are guided (see bench/engine.py).
  parameters.analyse.inter &= ~static_cast<unsigned>(X264_ANALYSE_PSUB16x16 | X264_ANALYSE_PSUB8x8 |
                                                     X264_ANALYSE_BSUB16x16);
}

void set_signalling(x264_param_t& parameters, const ColorTags& color) {
  parameters.vui.i_sar_width = 1;
  parameters.vui.i_sar_height = 1;
  parameters.vui.b_fullrange = 0;
  parameters.vui.i_colorprim = color.primaries;
  parameters.vui.i_transfer = color.transfer;
  parameters.vui.i_colmatrix = color.matrix;
  parameters.b_annexb = 0;
  parameters.b_repeat_headers = 0;  // they are in the init segment
  parameters.b_aud = 0;
  parameters.b_stitchable = 1;  // headers that do not depend on the pictures
}

void set_structure(x264_param_t& parameters, const X264Encoder::Options& options) {
  parameters.i_width = options.rendition.width;
  parameters.i_height = options.rendition.height;
  parameters.i_csp = X264_CSP_I420;
  parameters.i_fps_num = static_cast<uint32_t>(options.frame_rate.num);
  parameters.i_fps_den = static_cast<uint32_t>(options.frame_rate.den);
  parameters.i_timebase_num = parameters.i_fps_den;
  parameters.i_timebase_den = parameters.i_fps_num;
  parameters.b_vfr_input = 0;
  parameters.i_keyint_max = options.segment_frames;
  parameters.i_keyint_min = options.segment_frames;  // at most half of it counts
  parameters.b_open_gop = 0;
  // With frame threads libx264's VBV looks at how far the other threads happen to be: the same
  // input then gives other bytes now and then. Parallelism comes from the renditions and chunks.
  parameters.i_threads = 1;
  // The AVX-512 code of libx264 0.164's lookahead reads memory that nobody wrote: now and then
  // B-frames differ. Guided encoders have no lookahead.
  if (options.guide == nullptr) parameters.cpu &= ~static_cast<uint32_t>(X264_CPU_AVX512);
  parameters.i_level_idc = options.rendition.level_idc;
  const int max_references = max_reference_frames(
      options.rendition.level_idc, options.rendition.width, options.rendition.height);
  parameters.i_frame_reference = std::min(parameters.i_frame_reference, max_references);
}

}  // namespace

int max_reference_frames(int level_idc, int width, int height) {
  struct Row {
    int level_idc;
    int max_dpb_macroblocks;
  };
  constexpr std::array<Row, 16> kRows = {{{10, 396},
                                          {11, 900},
                                          {12, 2376},
                                          {13, 2376},
                                          {20, 2376},
                                          {21, 4752},
                                          {22, 8100},
                                          {30, 8100},
                                          {31, 18000},
                                          {32, 20480},
                                          {40, 32768},
                                          {41, 32768},
                                          {42, 34816},
                                          {50, 110400},
                                          {51, 184320},
                                          {52, 184320}}};
  const auto* const row =
      std::find_if(kRows.begin(), kRows.end(),
                   [level_idc](const Row& candidate) { return candidate.level_idc >= level_idc; });
  const int limit =
      row == kRows.end() ? kRows.back().max_dpb_macroblocks : row->max_dpb_macroblocks;
  const int macroblocks = ((width + 15) / 16) * ((height + 15) / 16);
  return std::clamp(limit / macroblocks, 1, 16);
}

namespace {

x264_param_t preset_parameters(const std::string& preset) {
  x264_param_t parameters;
  if (x264_param_default_preset(&parameters, preset.c_str(), nullptr) < 0) {
    throw std::invalid_argument("plan: unknown x264 preset " + preset);
  }
  return parameters;
}

}  // namespace

bool can_guide(const std::string& preset, const std::string& profile) {
  const x264_param_t parameters = preset_parameters(preset);
  return parameters.rc.b_mb_tree != 0 && parameters.rc.i_lookahead > 0 && profile != "baseline";
}

int guide_delay(const std::string& preset) {
  const x264_param_t parameters = preset_parameters(preset);
  return std::max(parameters.rc.i_lookahead, parameters.i_bframe) + parameters.i_bframe + 1;
}

X264Encoder::X264Encoder(const Options& options) {
  x264_param_t parameters = preset_parameters(options.preset);
  parameters.pf_log = log_x264;
  parameters.i_log_level = X264_LOG_WARNING;
  set_structure(parameters, options);
  set_rate_control(parameters, options.rendition.rate);
  set_signalling(parameters, options.color);
  if (x264_param_apply_profile(&parameters, options.rendition.profile.c_str()) < 0) {
    fail("The H.264 profile " + options.rendition.profile + " cannot be applied.");
  }
  open(parameters, options);
  x264_encoder_parameters(encoder_.get(), &parameters);  // as the encoder settled them
  const bool pyramid =
      parameters.i_bframe > 1 && parameters.i_bframe_pyramid != X264_B_PYRAMID_NONE;
  reorder_frames_ = parameters.i_bframe == 0 ? 0 : pyramid ? 2 : 1;
  read_headers();
}

void X264Encoder::open(x264_param_t& parameters, const Options& options) {
  std::optional<GuideFiles> guide;
  std::string guide_path;
  std::string statistics_path = options.statistics_out;
  if (options.guide != nullptr) {
    guide.emplace(*options.guide, options.guide_qp_shift);
    guide_path = guide->path();
    set_guided(parameters);
    parameters.rc.b_stat_read = 1;
    parameters.rc.psz_stat_in = guide_path.data();
    const auto blocks = static_cast<size_t>((parameters.i_width + 15) / 16) *
                        static_cast<size_t>((parameters.i_height + 15) / 16);
    block_shift_.assign(blocks, static_cast<float>(options.guide_qp_shift));
  }
  if (!statistics_path.empty()) {
    parameters.rc.b_stat_write = 1;
    parameters.rc.psz_stat_out = statistics_path.data();
  }
  encoder_.reset(x264_encoder_open(&parameters));
  if (!encoder_) fail("The H.264 encoder refused the settings of " + options.rendition.name + ".");
}

void X264Encoder::read_headers() {
  constexpr size_t kLengthBytes = 4;
  x264_nal_t* units = nullptr;
  int count = 0;
  std::span<const uint8_t> sps;
  std::span<const uint8_t> pps;
  if (x264_encoder_headers(encoder_.get(), &units, &count) < 0) fail("No H.264 headers.");
  for (int i = 0; i < count; ++i) {
    const uint8_t* begin = units[i].p_payload + kLengthBytes;
    const uint8_t* end = units[i].p_payload + units[i].i_payload;
    if (units[i].i_type == NAL_SPS) sps = {begin, end};
    if (units[i].i_type == NAL_PPS) pps = {begin, end};
  }
  if (sps.size() < 4 || pps.empty()) fail("The H.264 headers are incomplete.");
  config_ = avc_config(sps, pps);
}

namespace {

void hand_on(const x264_nal_t* units, int bytes, const x264_picture_t& picture,
             const X264Encoder::OnPicture& on_picture) {
  if (bytes == 0) return;
  CodedPicture coded;
  coded.data.assign(units[0].p_payload, units[0].p_payload + bytes);  // units are contiguous
  coded.slot = picture.i_pts;
  coded.idr = picture.i_type == X264_TYPE_IDR;
  coded.disposable = picture.i_type == X264_TYPE_B;
  on_picture(std::move(coded));
}

}  // namespace

void X264Encoder::encode(const AVFrame& frame, int64_t slot, bool segment_start,
                         const OnPicture& on_picture, int qp) {
  x264_picture_t input;
  x264_picture_init(&input);
  input.i_type = segment_start ? X264_TYPE_IDR : X264_TYPE_AUTO;
  input.i_qpplus1 = qp + 1;
  if (!block_shift_.empty()) input.prop.quant_offsets = block_shift_.data();
  input.i_pts = slot;
  input.img.i_csp = X264_CSP_I420;
  input.img.i_plane = 3;
  for (int plane = 0; plane < 3; ++plane) {
    input.img.plane[plane] = frame.data[plane];
    input.img.i_stride[plane] = frame.linesize[plane];
  }
  x264_nal_t* units = nullptr;
  int count = 0;
  x264_picture_t output;
  const int bytes = x264_encoder_encode(encoder_.get(), &units, &count, &input, &output);
  if (bytes < 0) fail("The H.264 encoder failed.");
  hand_on(units, bytes, output, on_picture);
}

void X264Encoder::finish(const OnPicture& on_picture) {
  while (x264_encoder_delayed_frames(encoder_.get()) > 0) {
    x264_nal_t* units = nullptr;
    int count = 0;
    x264_picture_t output;
    const int bytes = x264_encoder_encode(encoder_.get(), &units, &count, nullptr, &output);
    if (bytes < 0) fail("The H.264 encoder failed at the end.");
    hand_on(units, bytes, output, on_picture);
  }
}

}  // namespace millrace::media
