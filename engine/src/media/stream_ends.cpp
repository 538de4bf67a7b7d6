#include "media/stream_ends.h"

#include <algorithm>
#include <cmath>

namespace millrace::media {

namespace {

constexpr int64_t kMostTailBytes = 16 << 20;

bool says_its_duration(const AVStream& stream) {
  const bool tagged = av_dict_get(stream.metadata, "DURATION", nullptr, 0) != nullptr;
  return tagged || (stream.duration != AV_NOPTS_VALUE && stream.duration > 0);
}

double start_of(const AVStream& stream) {
  const bool known = stream.start_time != AV_NOPTS_VALUE;
  return known ? static_cast<double>(stream.start_time) * av_q2d(stream.time_base) : 0;
}

/// Ends in seconds of the streams met from here to the end of the file; empty if that is far.
std::map<int, double> read_ends(Input& input) {
  std::map<int, double> ends;
  const int64_t bytes_before = input.bytes_read();
  const av::Packet packet = av::make_packet();
  while (input.read(*packet)) {
    if (input.bytes_read() - bytes_before > kMostTailBytes) return {};
    const AVStream& stream = input.stream(packet->stream_index);
    if (packet->pts == AV_NOPTS_VALUE) continue;
    const auto end = static_cast<double>(packet->pts) +
                     static_cast<double>(std::max<int64_t>(packet->duration, 0));
    double& latest = ends[packet->stream_index];
    latest = std::max(latest, end * av_q2d(stream.time_base));
  }
  return ends;
}

}  // namespace

std::map<int, double> measured_durations(Input& input, int video) {
  AVStream& stream = input.stream(video);
  if (input.container().demuxer != "matroska,webm" || !input.seekable_exactly() ||
      says_its_duration(stream)) {
    return {};
  }
  input.select_all_streams();
  const double end_s = input.duration_s(video);
  if (!input.seek(video, std::llround(end_s / av_q2d(stream.time_base)))) return {};
  std::map<int, double> durations;
  for (const auto& [index, stream_end_s] : read_ends(input)) {
    const double length_s = stream_end_s - start_of(input.stream(index));
    if (length_s > 0) durations[index] = length_s;
  }
  return durations;
}

}  // namespace millrace::media
