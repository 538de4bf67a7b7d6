#include "media/trial_encoder.h"

#include <x264.h>

#include <algorithm>

#include "media/x264_encoder.h"
#include "millrace/engine.h"

namespace millrace::media {

namespace {

void tell(const x264_picture_t& coded, int bytes, const TrialEncoder::OnPicture& on_picture) {
  if (bytes < 0) throw EngineError(Reason::Internal, "The trial encoder failed.");
  if (bytes == 0) return;
  on_picture({coded.i_pts, bytes, coded.i_type == X264_TYPE_IDR, coded.img.plane[0],
              coded.img.i_stride[0]});
}

x264_param_t parameters_for(const Plan& plan, const RenditionPlan& rendition, int crf) {
  x264_param_t parameters;
  if (x264_param_default_preset(&parameters, plan.preset.c_str(), nullptr) < 0) {
    throw std::invalid_argument("plan: unknown x264 preset " + plan.preset);
  }
  parameters.i_log_level = X264_LOG_NONE;
  parameters.i_width = rendition.width;
  parameters.i_height = rendition.height;
  parameters.i_csp = X264_CSP_I420;
  parameters.i_fps_num = static_cast<uint32_t>(plan.frame_rate.num);
  parameters.i_fps_den = static_cast<uint32_t>(plan.frame_rate.den);
  parameters.b_vfr_input = 0;
  parameters.i_keyint_max = plan.segment_frames;
  parameters.i_keyint_min = plan.segment_frames;
  parameters.i_frame_reference =
      std::min(parameters.i_frame_reference,
               max_reference_frames(rendition.level_idc, rendition.width, rendition.height));
  parameters.rc.i_rc_method = X264_RC_CRF;
  parameters.rc.f_rf_constant = static_cast<float>(crf);
  parameters.b_full_recon = 1;  // pictures nothing refers to are deblocked for the viewer, too
  // As for the real encoder: the same bytes every time.
  parameters.i_threads = 1;
  parameters.cpu &= ~static_cast<uint32_t>(X264_CPU_AVX512);
  return parameters;
}

}  // namespace

TrialEncoder::TrialEncoder(const Plan& plan, const RenditionPlan& rendition, int crf) {
  x264_param_t parameters = parameters_for(plan, rendition, crf);
  if (x264_param_apply_profile(&parameters, rendition.profile.c_str()) == 0) {
    encoder_.reset(x264_encoder_open(&parameters));
  }
  if (!encoder_) {
    throw EngineError(Reason::Internal, "The trial encoder refused " + rendition.name + ".");
  }
}

void TrialEncoder::encode(const AVFrame& picture, int64_t slot, const OnPicture& on_picture) {
  x264_picture_t input;
  x264_picture_init(&input);
  input.i_pts = slot;
  input.img.i_csp = X264_CSP_I420;
  input.img.i_plane = 3;
  for (int plane = 0; plane < 3; ++plane) {
    input.img.plane[plane] = picture.data[plane];
    input.img.i_stride[plane] = picture.linesize[plane];
  }
  x264_nal_t* units = nullptr;
  int count = 0;
  x264_picture_t coded;
  tell(coded, x264_encoder_encode(encoder_.get(), &units, &count, &input, &coded), on_picture);
}

void TrialEncoder::finish(const OnPicture& on_picture) {
  while (x264_encoder_delayed_frames(encoder_.get()) > 0) {
    x264_nal_t* units = nullptr;
    int count = 0;
    x264_picture_t coded;
    tell(coded, x264_encoder_encode(encoder_.get(), &units, &count, nullptr, &coded), on_picture);
  }
}

}  // namespace millrace::media
