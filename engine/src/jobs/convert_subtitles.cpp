#include "jobs/convert_subtitles.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "av/error.h"
#include "media/subtitle_decoder.h"

extern "C" {
#include <libavutil/mathematics.h>
#include <libavutil/mem.h>
}

namespace millrace::jobs {

namespace {

constexpr AVRational kCueTick{1, 1000};
constexpr int64_t kLongestOpenCueMs = 10'000;
constexpr size_t kMostTextBytes = 64 << 10;

av::Codec open_decoder(const AVStream& stream) {
  const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  if (codec == nullptr || !media::is_text_subtitle(stream)) {
    throw EngineError(Reason::UnsupportedCodec, "The subtitles of stream " +
                                                    std::to_string(stream.index) + " (" +
                                                    avcodec_get_name(stream.codecpar->codec_id) +
                                                    ") are no text that can be converted.");
  }
  av::Codec decoder{av::check_ptr(avcodec_alloc_context3(codec), "allocate a subtitle decoder")};
  av::check(avcodec_parameters_to_context(decoder.get(), stream.codecpar), "set up subtitles");
  decoder->pkt_timebase = stream.time_base;
  av::check(avcodec_open2(decoder.get(), codec, nullptr), "open the subtitle decoder");
  return decoder;
}

const AVStream& require_subtitles(const AVStream& stream) {
  if (stream.codecpar->codec_type == AVMEDIA_TYPE_SUBTITLE) return stream;
  throw std::invalid_argument("job: subtitles: stream " + std::to_string(stream.index) +
                              " of the source holds no subtitles");
}

}  // namespace

ConvertSubtitleTrack::ConvertSubtitleTrack(const ConvertContext& context,
                                           const media::ConvertSubtitles& subtitles)
    : ConvertTrack(context, subtitles.stream),
      decoder_(open_decoder(require_subtitles(source_))),
      damage_(context.report, source_.index, "DAMAGED_SUBTITLES",
              "A subtitle is damaged here; it was left out.") {
  open(*subtitles.codec);
}

void ConvertSubtitleTrack::open(AVCodecID id) {
  const AVCodec* codec = av::check_ptr(avcodec_find_encoder(id), "find the subtitle encoder");
  encoder_.reset(av::check_ptr(avcodec_alloc_context3(codec), "allocate a subtitle encoder"));
  encoder_->time_base = kCueTick;
  if (decoder_->subtitle_header != nullptr) {
    const auto size = static_cast<size_t>(decoder_->subtitle_header_size);
    // One more: the encoders read it as a text.
    auto* header = static_cast<uint8_t*>(av::check_ptr(av_mallocz(size + 1), "copy the styles"));
    std::memcpy(header, decoder_->subtitle_header, size);
    encoder_->subtitle_header = header;  // the codec's from here on
    encoder_->subtitle_header_size = decoder_->subtitle_header_size;
  }
  av::check(avcodec_open2(encoder_.get(), codec, nullptr), "open the subtitle encoder");
  output_ = &context_.muxer.add_stream();
  av::check(avcodec_parameters_from_context(output_->codecpar, encoder_.get()),
            "describe the subtitles");
  output_->codecpar->codec_type = AVMEDIA_TYPE_SUBTITLE;
  output_->time_base = kCueTick;
}

void ConvertSubtitleTrack::take(AVPacket& packet) {
  if (done_ || packet.pts == AV_NOPTS_VALUE) return;
  const int64_t zero = context_.range.zero(context_.input, source_.time_base);
  Cue cue;
  cue.start_ms = av_rescale_q(packet.pts - zero, source_.time_base, kCueTick);
  cue.end_ms = cue.start_ms +
               av_rescale_q(std::max<int64_t>(packet.duration, 0), source_.time_base, kCueTick);
  const auto length_s = context_.range.length_s();
  if (length_s && static_cast<double>(cue.start_ms) >= *length_s * 1000) {
    done_ = true;
    return;
  }
  av::Subtitle subtitle;
  int found = 0;
  const int rc = avcodec_decode_subtitle2(decoder_.get(), subtitle.get(), &found, &packet);
  if (rc < 0) damage_.note(static_cast<double>(cue.start_ms) / 1000);
  if (rc < 0 || found == 0 || subtitle->num_rects == 0) return;
  subtitle.get()->start_display_time = 0;
  cue.text.resize(kMostTextBytes);
  const int bytes = avcodec_encode_subtitle(encoder_.get(), cue.text.data(),
                                            static_cast<int>(cue.text.size()), subtitle.get());
  if (bytes < 0) damage_.note(static_cast<double>(cue.start_ms) / 1000);
  if (bytes <= 0) return;
  cue.text.resize(static_cast<size_t>(bytes));
  hold(std::move(cue));
}

void ConvertSubtitleTrack::hold(Cue cue) {
  release(cue.start_ms);
  const bool ends = cue.end_ms > cue.start_ms;
  held_ = std::move(cue);
  if (ends) release(held_->end_ms);
}

/// What the source gives no end lasts until the next one, ten seconds at most.
void ConvertSubtitleTrack::release(int64_t until_ms) {
  if (!held_) return;
  Cue cue = std::move(*held_);
  held_.reset();
  if (cue.end_ms <= cue.start_ms) {
    cue.end_ms = std::min(std::max(until_ms, cue.start_ms + 1), cue.start_ms + kLongestOpenCueMs);
  }
  cue.start_ms = std::max(cue.start_ms, last_start_ms_);
  if (const auto length_s = context_.range.length_s()) {
    cue.end_ms = std::min<int64_t>(cue.end_ms, std::llround(*length_s * 1000));
  }
  if (cue.end_ms <= cue.start_ms) return;
  last_start_ms_ = cue.start_ms;
  const av::Packet packet = av::make_packet();
  av::check(av_new_packet(packet.get(), static_cast<int>(cue.text.size())), "allocate a subtitle");
  std::copy(cue.text.begin(), cue.text.end(), packet->data);
  packet->pts = packet->dts = cue.start_ms;
  packet->duration = cue.end_ms - cue.start_ms;
  packet->flags |= AV_PKT_FLAG_KEY;
  position_s_.store(static_cast<double>(cue.start_ms) / 1000, std::memory_order_relaxed);
  ++cues_;
  context_.muxer.write(*packet, *output_, kCueTick);
}

void ConvertSubtitleTrack::finish() {
  release(std::numeric_limits<int64_t>::max());
}

nlohmann::ordered_json ConvertSubtitleTrack::result() const {
  return {
      {"stream", source_.index}, {"codec", avcodec_get_name(encoder_->codec_id)}, {"cues", cues_}};
}

}  // namespace millrace::jobs
