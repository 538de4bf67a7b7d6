#include "media/audio_segmenter.h"

#include <span>
#include <utility>

#include "media/aac_encoder.h"
#include "media/mpegts.h"

extern "C" {
#include <libavutil/mathematics.h>
}

namespace millrace::media {

namespace {
/// A last segment shorter than this is appended to the one before: some players stumble over
/// segments of one packet, and the longer one still rounds to the target duration.
constexpr int kShortestTailMs = 250;
}  // namespace

AudioSegmenter::AudioSegmenter(AudioPlan audio, AVRational frame_rate, int segment_frames,
                               const OutputFolder& output, const TrackListener& listener,
                               int64_t first_segment)
    : audio_(std::move(audio)),
      frame_rate_(frame_rate),
      segment_frames_(segment_frames),
      output_(output),
      listener_(listener),
      segment_(first_segment),
      first_packet_(boundary(first_segment)) {}

int64_t AudioSegmenter::boundary(int64_t segment) const {
  const AVRational packet{AacEncoder::kFrameSamples, audio_.sample_rate_hz};
  return av_rescale_q_rnd(segment * segment_frames_, av_inv_q(frame_rate_), packet,
                          AV_ROUND_NEAR_INF);
}

void AudioSegmenter::write_init_segment(const std::vector<uint8_t>& config) {
  AudioTrack& track = track_;
  track.timescale = static_cast<uint32_t>(audio_.sample_rate_hz);
  track.channels = audio_.channels;
  track.bitrate_bps = audio_.bitrate_bps;
  track.language = audio_.language;
  track.config = config;
  if (output_.format() == SegmentFormat::MpegTs) {
    listener_.on_init({audio_.name, "", 0, codecs_of(track)});
    return;
  }
  const auto bytes = write_init(track);
  const std::string path = audio_.name + "/init.mp4";
  output_.write(path, bytes);
  listener_.on_init({audio_.name, path, static_cast<int64_t>(bytes.size()), codecs_of(track)});
}

void AudioSegmenter::add(int64_t /*index*/, std::vector<uint8_t> data) {
  samples_.push_back({std::move(data), AacEncoder::kFrameSamples, 0, true, false});
  const int64_t tail =
      int64_t{audio_.sample_rate_hz} * kShortestTailMs / 1000 / AacEncoder::kFrameSamples;
  const int64_t length = boundary(segment_ + 1) - first_packet_;
  if (static_cast<int64_t>(samples_.size()) > length + tail) {
    write_segment_of(static_cast<size_t>(length));
  }
}

void AudioSegmenter::finish() {
  if (!samples_.empty()) write_segment_of(samples_.size());
}

void AudioSegmenter::write_segment_of(size_t packets) {
  const auto bytes =
      output_.format() == SegmentFormat::MpegTs ? transport_of(packets) : cmaf_of(packets);
  const std::string path = segment_path(audio_.name, segment_, segment_extension(output_.format()));
  output_.write(path, bytes);
  const AVRational duration{static_cast<int>(packets) * AacEncoder::kFrameSamples,
                            audio_.sample_rate_hz};
  listener_.on_segment({audio_.name, segment_, path, static_cast<int64_t>(bytes.size()), duration});
  samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(packets));
  first_packet_ += static_cast<int64_t>(packets);
  ++segment_;
}

std::vector<uint8_t> AudioSegmenter::cmaf_of(size_t packets) const {
  return write_segment(static_cast<uint32_t>(segment_ + 1),
                       first_packet_ * AacEncoder::kFrameSamples,
                       std::span{samples_}.first(packets));
}

std::vector<uint8_t> AudioSegmenter::transport_of(size_t packets) const {
  std::vector<AccessUnit> frames;
  frames.reserve(packets);
  for (size_t n = 0; n < packets; ++n) {
    const int64_t sample = (first_packet_ + static_cast<int64_t>(n)) * AacEncoder::kFrameSamples;
    frames.push_back({samples_[n].data, {1, audio_.sample_rate_hz}, sample, sample, true});
  }
  return write_transport_segment(segment_, track_, frames).bytes;
}

}  // namespace millrace::media
