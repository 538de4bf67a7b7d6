#include "jobs/audio_pass.h"

#include <algorithm>
#include <cmath>
#include <utility>

extern "C" {
#include <libavutil/mathematics.h>
}

namespace millrace::jobs {

namespace {
/// The video's start in the audio stream's time base: both share time zero.
int64_t common_origin(const media::Input& input, const media::Plan& plan, const AVStream& audio) {
  return input.origin(plan.video_stream, audio.time_base);
}
}  // namespace

AudioPass::AudioPass(const TranscodeOptions& options, const media::Plan& plan,
                     const media::AudioPlan& audio, const media::OutputFolder& output,
                     Report& report, const StopToken& stop, int threads)
    : plan_(plan),
      audio_(audio),
      report_(report),
      limits_(options.source.limits),
      input_(options.source, stop),
      stream_(input_.stream(audio.stream)),
      origin_((input_.stream(plan.video_stream), common_origin(input_, plan, stream_))),
      listener_(report.listener()),
      segmenter_(audio, plan.frame_rate, plan.segment_frames, output, listener_,
                 options.from_segment),
      encoder_(audio, segmenter_.boundary(options.from_segment), threads,
               [this](int64_t index, std::vector<uint8_t> data) {
                 segmenter_.add(index, std::move(data));
               }),
      timeline_(audio.channels, audio.sample_rate_hz,
                [this](const media::Samples& samples) { encoder_.add(samples); }),
      decoder_(stream_, media::Decoder::Options{}) {
  if (stream_.codecpar->codec_type != AVMEDIA_TYPE_AUDIO) {
    throw EngineError(Reason::SourceChanged,
                      "The plan's audio stream is not audio: the source was replaced.");
  }
  input_.select_stream(audio.stream);
}

void AudioPass::run() {
  segmenter_.write_init_segment(encoder_.config());
  const auto on_frame = [this](const media::TimedFrame& frame) { return take_decoded(frame); };
  const av::Packet packet = av::make_packet();
  while (input_.read(*packet)) {
    if (cancelled_.load(std::memory_order_relaxed)) throw Stopped();
    decoder_.decode(packet.get(), on_frame);
  }
  decoder_.decode(nullptr, on_frame);
  if (decoder_.frames() == 0) {
    report_.warn("AUDIO_UNDECODABLE",
                 "No sound of " + audio_.name + " could be decoded; the track is silent.");
  } else if (decoder_.errors() > 0) {
    report_.warn("DAMAGED_SOUND", std::to_string(decoder_.errors()) + " packets of " + audio_.name +
                                      " are damaged; silence stands in for them.");
  }
  timeline_.finish(std::llround(plan_.duration_s * audio_.sample_rate_hz));
  encoder_.finish();
  segmenter_.finish();
  position_.store(timeline_.position());
}

bool AudioPass::take_decoded(const media::TimedFrame& decoded) {
  const AVRational sample{1, audio_.sample_rate_hz};
  const int64_t time = av_rescale_q(decoded.timestamp - origin_, stream_.time_base, sample);
  const double time_s = static_cast<double>(time) / audio_.sample_rate_hz;
  if (limits_.max_duration_s > 0 && time_s > limits_.max_duration_s) {
    throw EngineError(Reason::LimitExceeded, "The sound is longer than is allowed.", time_s);
  }
  timeline_.push(*decoded.frame, time);
  position_.store(timeline_.position(), std::memory_order_relaxed);
  return true;
}

double AudioPass::done() const {
  const double length = std::max(0.001, plan_.duration_s) * audio_.sample_rate_hz;
  return std::min(1.0, static_cast<double>(position_.load(std::memory_order_relaxed)) / length);
}

}  // namespace millrace::jobs
