#include "jobs/subtitle_pass.h"

#include <algorithm>
#include <utility>

extern "C" {
#include <libavutil/mathematics.h>
}

namespace millrace::jobs {

namespace {
constexpr AVRational kMillisecond{1, 1000};
}  // namespace

SubtitlePass::SubtitlePass(const TranscodeOptions& options, const media::Plan& plan,
                           const std::vector<media::SubtitlePlan>& tracks,
                           const media::OutputFolder& output, Report& report, const StopToken& stop)
    : plan_(plan),
      report_(report),
      stop_(&stop),
      input_(options.source, stop_),
      listener_(report.listener()) {
  std::vector<int> streams;
  for (const media::SubtitlePlan& subtitles : tracks) {
    add_track(subtitles, output);
    streams.push_back(subtitles.stream);
  }
  input_.select_streams(streams);
}

void SubtitlePass::add_track(const media::SubtitlePlan& subtitles,
                             const media::OutputFolder& output) {
  input_.stream(plan_.video_stream);
  const AVStream& stream = input_.stream(subtitles.stream);
  if (stream.codecpar->codec_type != AVMEDIA_TYPE_SUBTITLE) {
    throw EngineError(Reason::SourceChanged,
                      "The plan's subtitle stream holds no subtitles: the source was replaced.");
  }
  tracks_.push_back(std::make_unique<Track>(
      Track{subtitles.name, stream, input_.origin(plan_.video_stream, stream.time_base),
            media::SubtitleDecoder(stream),
            media::WebVttSegmenter(subtitles, plan_, output, listener_)}));
}

void SubtitlePass::run() {
  const av::Packet packet = av::make_packet();
  while (input_.read(*packet)) take(*packet);
  for (const auto& track : tracks_) finish(*track);
}

void SubtitlePass::take(AVPacket& packet) {
  if (packet.pts == AV_NOPTS_VALUE) return;
  for (const auto& track : tracks_) {
    if (track->stream.index != packet.stream_index) continue;
    const AVRational time_base = track->stream.time_base;
    const int64_t start = packet.pts - track->origin;
    media::Cue cue;
    cue.start_ms = av_rescale_q(start, time_base, kMillisecond);
    if (packet.duration > 0) {
      cue.end_ms = av_rescale_q(start + packet.duration, time_base, kMillisecond);
    }
    position_ms_.store(cue.start_ms, std::memory_order_relaxed);
    for (media::CueText& text : track->decoder.decode(packet)) {
      cue.text = std::move(text);
      track->segmenter.add(cue);
    }
  }
}

void SubtitlePass::finish(Track& track) {
  if (track.decoder.errors() > 0) {
    report_.warn("DAMAGED_SUBTITLES", std::to_string(track.decoder.errors()) + " packets of " +
                                          track.name + " are damaged and left out.");
  }
  track.segmenter.finish();
}

double SubtitlePass::done() const {
  const double length_ms = std::max(0.001, plan_.duration_s) * 1000;
  const auto position_ms = static_cast<double>(position_ms_.load(std::memory_order_relaxed));
  return std::clamp(position_ms / length_ms, 0.0, 1.0);
}

}  // namespace millrace::jobs
