#include "media/svt_av1_encoder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string_view>

#include "av/svt_av1.h"
#include "media/av1_obu.h"
#include "media/cpu_confinement.h"

namespace millrace::media {

namespace {

void check(EbErrorType code, const std::string& what) {
  if (code != EB_ErrorNone) encoder_failed("The AV1 encoder " + what + ".");
}

/// The library fills global tables when an encoder is made.
std::mutex& tables() {
  static std::mutex mutex;
  return mutex;
}

void set_structure(EbSvtAv1EncConfiguration& settings, const VideoEncoder::Options& options) {
  settings.enc_mode = static_cast<int8_t>(svt_av1_preset(options.preset));
  settings.source_width = static_cast<uint32_t>(options.rendition.width);
  settings.source_height = static_cast<uint32_t>(options.rendition.height);
  settings.frame_rate_numerator = static_cast<uint32_t>(options.frame_rate.num);
  settings.frame_rate_denominator = static_cast<uint32_t>(options.frame_rate.den);
  settings.encoder_bit_depth = 8;
  settings.encoder_color_format = EB_YUV420;
  settings.intra_period_length = options.segment_frames - 1;  // frames between key frames
  settings.intra_refresh_type = SVT_AV1_KF_REFRESH;           // closed GOPs
  settings.scene_change_detection = 0;
  settings.enable_overlays = 0;
  settings.profile = MAIN_PROFILE;
  settings.tier = 0;
  settings.level = static_cast<uint32_t>(options.rendition.level_idc);
  // Each level doubles the pictures that are held back: above 1080p, memory counts for more than
  // the 3 % of bits that the fifth one saves.
  constexpr uint32_t kLarge = 1920 * 1088;
  if (settings.source_width * settings.source_height > kLarge) settings.hierarchical_levels = 4;
  // As few threads as there can be: parallelism comes from the renditions.
  settings.logical_processors = 1;
}

/// The library caps the rate without a buffer model: `bufsize_bits` has no counterpart.
void set_rate_control(EbSvtAv1EncConfiguration& settings, const RateControl& rate) {
  settings.rate_control_mode = SVT_AV1_RC_MODE_CQP_OR_CRF;
  settings.qp = static_cast<uint32_t>(std::lround(rate.crf));
  settings.max_bit_rate = static_cast<uint32_t>(rate.maxrate_bps);
  settings.mbr_over_shoot_pct = 0;
}

void set_signalling(EbSvtAv1EncConfiguration& settings, const ColorTags& color) {
  settings.color_primaries = static_cast<EbColorPrimaries>(color.primaries);
  settings.transfer_characteristics = static_cast<EbTransferCharacteristics>(color.transfer);
  settings.matrix_coefficients = static_cast<EbMatrixCoefficients>(color.matrix);
  settings.color_range = EB_CR_STUDIO_RANGE;
}

/// A temporal unit without its delimiter, which samples do not have (AV1 in ISOBMFF, 2.4).
std::vector<uint8_t> sample_of(std::span<const uint8_t> unit) {
  std::vector<uint8_t> sample;
  sample.reserve(unit.size());
  for (const Obu& obu : split_obus(unit)) {
    if (obu.type == Obu::TemporalDelimiter) continue;
    sample.insert(sample.end(), obu.whole.begin(), obu.whole.end());
  }
  return sample;
}

}  // namespace

int svt_av1_preset(const std::string& name) {
  constexpr std::array<std::pair<std::string_view, int>, 10> kPresets = {{{"ultrafast", 12},
                                                                          {"superfast", 11},
                                                                          {"veryfast", 10},
                                                                          {"faster", 9},
                                                                          {"fast", 8},
                                                                          {"medium", 7},
                                                                          {"slow", 6},
                                                                          {"slower", 5},
                                                                          {"veryslow", 4},
                                                                          {"placebo", 2}}};
  const auto* const found = std::find_if(kPresets.begin(), kPresets.end(),
                                         [&](const auto& entry) { return entry.first == name; });
  if (found == kPresets.end()) throw std::invalid_argument("plan: unknown preset " + name);
  return found->second;
}

SvtAv1Encoder::SvtAv1Encoder(const Options& options)
    : frame_bytes_(static_cast<uint32_t>(options.rendition.width * options.rendition.height) * 3 /
                   2) {
  const std::lock_guard lock(tables());
  const CpuConfinement confinement(options.threads);
  EbComponentType* handle = nullptr;
  EbSvtAv1EncConfiguration settings{};
  check(svt_av1_enc_init_handle(&handle, nullptr, &settings), "could not be made");
  encoder_.reset(handle);
  set_structure(settings, options);
  set_rate_control(settings, options.rendition.rate);
  set_signalling(settings, options.color);
  check(svt_av1_enc_set_parameter(handle, &settings),
        "refused the settings of " + options.rendition.name);
  check(svt_av1_enc_init(handle), "could not be started");
  read_header();
}

void SvtAv1Encoder::read_header() {
  EbBufferHeaderType* header = nullptr;
  check(svt_av1_enc_stream_header(encoder_.get(), &header), "gave no header");
  config_ = av1_config({header->p_buffer, header->n_filled_len});
  svt_av1_enc_stream_header_release(header);
}

void SvtAv1Encoder::encode(const AVFrame& frame, int64_t slot, bool /*segment_start*/,
                           const OnPicture& on_picture) {
  EbSvtIOFormat picture{};
  picture.luma = frame.data[0];
  picture.cb = frame.data[1];
  picture.cr = frame.data[2];
  picture.y_stride = static_cast<uint32_t>(frame.linesize[0]);
  picture.cb_stride = static_cast<uint32_t>(frame.linesize[1]);
  picture.cr_stride = static_cast<uint32_t>(frame.linesize[2]);
  picture.width = static_cast<uint32_t>(frame.width);
  picture.height = static_cast<uint32_t>(frame.height);
  picture.color_fmt = EB_YUV420;
  picture.bit_depth = EB_EIGHT_BIT;
  EbBufferHeaderType input{};
  input.size = sizeof input;
  input.p_buffer = reinterpret_cast<uint8_t*>(&picture);  // so the library's interface wants it
  input.n_filled_len = input.n_alloc_len = frame_bytes_;
  input.pts = slot;
  input.pic_type = EB_AV1_INVALID_PICTURE;
  check(svt_av1_enc_send_picture(encoder_.get(), &input), "failed");
  ++sent_;
  drain(false, on_picture);
}

void SvtAv1Encoder::finish(const OnPicture& on_picture) {
  if (sent_ == 0) return;
  EbBufferHeaderType end{};
  end.size = sizeof end;
  end.flags = EB_BUFFERFLAG_EOS;
  end.pic_type = EB_AV1_INVALID_PICTURE;
  check(svt_av1_enc_send_picture(encoder_.get(), &end), "failed at the end");
  drain(true, on_picture);
  if (received_ != sent_) encoder_failed("The AV1 encoder lost pictures.");
}

void SvtAv1Encoder::drain(bool wait, const OnPicture& on_picture) {
  for (bool more = true; more;) {
    EbBufferHeaderType* packet = nullptr;
    const EbErrorType code =
        svt_av1_enc_get_packet(encoder_.get(), &packet, static_cast<uint8_t>(wait));
    if (code == EB_NoErrorEmptyQueue) return;
    check(code, "failed");
    const av::SvtAv1Packet owned(packet);
    more = (packet->flags & EB_BUFFERFLAG_EOS) == 0;
    if (packet->n_filled_len == 0) continue;
    CodedPicture coded;
    coded.data = sample_of({packet->p_buffer, packet->n_filled_len});
    coded.slot = packet->pts;
    coded.idr = packet->pic_type == EB_AV1_KEY_PICTURE;
    ++received_;
    on_picture(std::move(coded));
  }
}

}  // namespace millrace::media
