#include "media/frame_timing.h"

#include <algorithm>
#include <array>
#include <cmath>

extern "C" {
#include <libavutil/common.h>
}

namespace millrace::media {

namespace {

constexpr int kSampledFrames = 120;
constexpr double kLongEnoughToSampleS = 60;

/// Nothing where the table is missing or partial.
FrameSteps tabled_steps(AVStream& stream) {
  FrameSteps steps;
  const int count = avformat_index_get_entries_count(&stream);
  if (stream.nb_frames <= 2 || count < stream.nb_frames) return steps;
  for (int n = 1; n + 1 < count; ++n) {  // the last one's length is often arbitrary
    steps.add(av_sat_sub64(avformat_index_get_entry(&stream, n)->timestamp,
                           avformat_index_get_entry(&stream, n - 1)->timestamp));
  }
  return steps;
}

FrameSteps sampled_steps(Input& input, int stream) {
  std::vector<int64_t> presentation;
  int64_t last_decoding_time = AV_NOPTS_VALUE;
  const av::Packet packet = av::make_packet();
  while (presentation.size() < kSampledFrames && input.read(*packet)) {
    if (packet->stream_index != stream) continue;
    if (packet->dts != AV_NOPTS_VALUE) last_decoding_time = packet->dts;
    const int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (time != AV_NOPTS_VALUE) presentation.push_back(time);
  }
  return steps_between(std::move(presentation), last_decoding_time);
}

}  // namespace

void FrameSteps::add(int64_t step) {
  if (step <= 0) return;  // two fields of one frame, or a timestamp written twice
  shortest = std::min(shortest, step);
  longest = std::max(longest, step);
  ++count;
}

void FrameSteps::add(const FrameSteps& others) {
  shortest = std::min(shortest, others.shortest);
  longest = std::max(longest, others.longest);
  count += others.count;
}

FrameSteps steps_between(std::vector<int64_t> presentation, int64_t last_decoding_time) {
  std::sort(presentation.begin(), presentation.end());
  FrameSteps steps;
  for (size_t n = 1; n < presentation.size(); ++n) {
    const bool settled =
        last_decoding_time == AV_NOPTS_VALUE || presentation[n] <= last_decoding_time;
    if (settled) steps.add(av_sat_sub64(presentation[n], presentation[n - 1]));
  }
  return steps;
}

FrameSteps frame_steps(Input& input, int stream_index) {
  AVStream& stream = input.stream(stream_index);
  // AVI has one rate: a frame that is left out is the one before, shown on.
  if (input.container().demuxer == "avi") return {};
  FrameSteps steps = tabled_steps(stream);
  if (steps.count > 0) return steps;
  input.select_stream(stream_index);
  input.rewind();
  steps = sampled_steps(input, stream_index);
  const double length_s = input.duration_s(stream_index);
  if (length_s < kLongEnoughToSampleS || !input.seekable_exactly()) return steps;
  for (const double part : std::array{0.5, 0.9}) {
    const int64_t start = input.origin(stream_index, stream.time_base);
    const int64_t there = start + std::llround(part * length_s / av_q2d(stream.time_base));
    if (input.seek(stream_index, there)) steps.add(sampled_steps(input, stream_index));
  }
  return steps;
}

bool is_variable(const FrameSteps& steps, AVRational time_base, bool interlaced) {
  constexpr double kRoundingMs = 2.5;
  const double most = interlaced ? 2.05 : 1.05;
  if (steps.count < 2) return false;
  const double spread_ms =
      static_cast<double>(steps.longest - steps.shortest) * av_q2d(time_base) * 1000;
  return spread_ms > kRoundingMs &&
         static_cast<double>(steps.longest) > most * static_cast<double>(steps.shortest);
}

}  // namespace millrace::media
