#include "media/subtitle_decoder.h"

#include <string>

#include "av/error.h"
#include "millrace/engine.h"

namespace millrace::media {

bool is_text_subtitle(const AVStream& stream) {
  switch (stream.codecpar->codec_id) {
    case AV_CODEC_ID_MOV_TEXT:
    case AV_CODEC_ID_SUBRIP:
    case AV_CODEC_ID_ASS:
    case AV_CODEC_ID_WEBVTT:
    case AV_CODEC_ID_TEXT:
      return avcodec_find_decoder(stream.codecpar->codec_id) != nullptr;
    default:
      return false;
  }
}

SubtitleDecoder::SubtitleDecoder(const AVStream& stream)
    : braces_are_comments_(stream.codecpar->codec_id == AV_CODEC_ID_ASS) {
  const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  if (codec != nullptr && is_text_subtitle(stream)) {
    codec_.reset(av::check_ptr(avcodec_alloc_context3(codec), "allocate a subtitle decoder"));
    av::check(avcodec_parameters_to_context(codec_.get(), stream.codecpar), "set up subtitles");
    codec_->pkt_timebase = stream.time_base;
    if (avcodec_open2(codec_.get(), codec, nullptr) >= 0) return;
  }
  throw EngineError(Reason::UnsupportedCodec,
                    "The subtitles of stream " + std::to_string(stream.index) + " (" +
                        avcodec_get_name(stream.codecpar->codec_id) + ") cannot be decoded.");
}

std::vector<CueText> SubtitleDecoder::decode(AVPacket& packet) {
  std::vector<CueText> texts;
  av::Subtitle subtitle;
  int found = 0;
  const int rc = avcodec_decode_subtitle2(codec_.get(), subtitle.get(), &found, &packet);
  if (rc == AVERROR(ENOMEM)) av::check(rc, "decode subtitles");
  if (rc < 0) ++errors_;
  if (rc < 0 || found == 0) return texts;
  for (unsigned n = 0; n < subtitle->num_rects; ++n) {
    const char* event = subtitle->rects[n]->ass;
    if (event == nullptr) continue;
    CueText text = cue_text(event, braces_are_comments_);
    if (!text.empty()) texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace millrace::media
