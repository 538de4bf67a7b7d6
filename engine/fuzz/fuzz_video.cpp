/// Demuxing and decoding the main video, making its pictures upright and scaling them; then a still
/// from the middle, which seeks.
#include "media/decoder.h"
#include "media/normaliser.h"
#include "media/scaler.h"
#include "media/still.h"
#include "memory_source.h"

namespace {

using namespace millrace;  // NOLINT(google-build-using-namespace)

constexpr int kWidth = 64;
constexpr int kHeight = 36;

void decode_all(media::Input& input) {
  constexpr int kMostFrames = 40;
  const int index = input.best_video_stream();
  AVStream& stream = input.stream(index);
  input.select_stream(index);
  media::Normaliser normaliser(media::video_facts(input.format(), stream), stream.time_base, kWidth,
                               kHeight);
  media::Scaler scaler(kWidth, kHeight);
  media::Decoder decoder(stream, {1, fuzz::limits().max_pixels, false});
  int frames = 0;
  const auto take = [&](media::TimedFrame decoded) {
    decoded.frame->pts = decoded.timestamp;
    scaler.scale(normaliser.apply(av::share(std::move(decoded.frame))));
    return ++frames < kMostFrames;
  };
  const av::Packet packet = av::make_packet();
  bool more = true;
  while (more && input.read(*packet)) more = decoder.decode(packet.get(), take);
  if (more) decoder.decode(nullptr, take);
}

void make_still(media::Input& input) {
  media::StillFinder finder(input, fuzz::limits().max_pixels, {kWidth, kHeight}, 1);
  const double length_s = input.duration_s(input.best_video_stream());
  const auto still = finder.nearest(length_s / 2);
  media::make_png(*still.picture, {}, kWidth, kHeight);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::run(data, size, [](media::Input& input) {
    decode_all(input);
    make_still(input);
  });
}
