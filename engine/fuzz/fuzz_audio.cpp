/// Demuxing and decoding the first sound, mixing and resampling it, encoding it as AAC.
#include "media/aac_encoder.h"
#include "media/audio_timeline.h"
#include "media/decoder.h"
#include "memory_source.h"

namespace {

using namespace millrace;  // NOLINT(google-build-using-namespace)

constexpr int kRateHz = 48'000;

int first_sound(const media::Input& input) {
  const AVFormatContext& format = input.format();
  for (unsigned n = 0; n < format.nb_streams; ++n) {
    if (format.streams[n]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) return static_cast<int>(n);
  }
  throw EngineError(Reason::NoVideoStream, "no sound to decode");
}

void decode_all(media::Input& input) {
  const int index = first_sound(input);
  const AVStream& stream = input.stream(index);
  input.select_stream(index);
  media::AudioPlan plan;
  plan.channels = 2;
  plan.sample_rate_hz = kRateHz;
  plan.bitrate_bps = 128'000;
  media::AacEncoder encoder(plan, [](int64_t, const std::vector<uint8_t>&) {});
  media::AudioTimeline timeline(2, kRateHz,
                                [&](const media::Samples& samples) { encoder.add(samples); });
  media::Decoder decoder(stream, media::Decoder::Options{});
  int frames = 0;
  const auto take = [&](const media::TimedFrame& decoded) {
    constexpr int64_t kMostSamples = int64_t{kRateHz} * 60;
    constexpr int kMostFrames = 200;
    const int64_t time = av_rescale_q(decoded.timestamp, stream.time_base, {1, kRateHz});
    if (time > kMostSamples) throw EngineError(Reason::LimitExceeded, "longer than allowed");
    timeline.push(*decoded.frame, time);
    return ++frames < kMostFrames;
  };
  const av::Packet packet = av::make_packet();
  bool more = true;
  while (more && input.read(*packet)) more = decoder.decode(packet.get(), take);
  if (more) decoder.decode(nullptr, take);
  timeline.finish(0);
  encoder.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::run(data, size, decode_all);
}
