#include "jobs/convert_start.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "media/key_frames.h"

namespace millrace::jobs {

namespace {

/// How far before the range reading begins: sound is stored up to that much earlier than the
/// picture it goes with.
constexpr double kSoundLeadS = 1;

int64_t ticks(double time_s, AVRational time_base) {
  return std::llround(time_s / av_q2d(time_base));
}

void require_video(media::Input& input, int stream) {
  const AVStream& chosen = input.stream(stream);
  const bool video = chosen.codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
  if (video && !media::is_cover_art(chosen)) return;
  static_cast<void>(input.best_video_stream());  // tells where there is none at all
  throw std::invalid_argument("job: video.stream: stream " + std::to_string(stream) +
                              " of the source is no video");
}

/// The first picture that can be decoded from here.
std::optional<media::TimedFrame> next_picture(media::Input& input, const AVStream& stream,
                                              const Limits& limits) {
  media::Decoder decoder(stream, media::Decoder::Options{1, limits.max_pixels, false});
  std::optional<media::TimedFrame> found;
  const auto on_frame = [&found](media::TimedFrame frame) {
    found = std::move(frame);
    return false;
  };
  const av::Packet packet = av::make_packet();
  bool more = true;
  while (more && input.read(*packet)) more = decoder.decode(packet.get(), on_frame);
  if (more) decoder.decode(nullptr, on_frame);
  return found;
}

/// The presentation time of the first key frame that is met from here.
std::optional<int64_t> next_key_frame(media::Input& input) {
  const av::Packet packet = av::make_packet();
  while (input.read(*packet)) {
    const int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if ((packet->flags & AV_PKT_FLAG_KEY) != 0 && time != AV_NOPTS_VALUE) return time;
  }
  return std::nullopt;
}

/// Tries ever earlier seeks until `suits` accepts one; none where only the beginning is left.
template <typename Suits>
std::optional<int64_t> earliest_seek(media::Input& scout, const AVStream& stream, int64_t target,
                                     int64_t origin, const Suits& suits) {
  const int64_t second = std::max<int64_t>(1, ticks(1, stream.time_base));
  for (int64_t margin = ticks(kSoundLeadS, stream.time_base); target - margin > origin;
       margin = std::max(2 * margin, second)) {
    if (!scout.seek(stream.index, target - margin)) return std::nullopt;
    if (suits()) return target - margin;
  }
  return std::nullopt;
}

[[noreturn]] void refuse_undecodable(double position_s) {
  throw EngineError(Reason::Corrupt,
                    "No picture of the video could be decoded. Copy it again or re-export it.",
                    position_s);
}

void find_picture(media::Input& scout, const ConvertRange& range, const Limits& limits,
                  ConvertStart& start) {
  const AVStream& stream = scout.stream(start.stream);
  const int64_t origin = range.origin(scout, stream.time_base);
  const int64_t target = range.zero(scout, stream.time_base);
  std::optional<media::TimedFrame> first;
  if (range.start_s > 0) {
    start.seek = earliest_seek(scout, stream, target, origin, [&] {
      first = next_picture(scout, stream, limits);
      return first && first->timestamp <= target;
    });
    if (!start.seek) scout.rewind();
  }
  if (!start.seek) first = next_picture(scout, stream, limits);
  if (!first) refuse_undecodable(range.start_s);
  start.first = std::move(first->frame);
  start.first->sample_aspect_ratio =
      av_guess_sample_aspect_ratio(&scout.format(), &scout.stream(start.stream), start.first.get());
}

/// `may_hide`: the output's container can leave out what is copied from before the first picture.
void find_key_frame(media::Input& scout, const ConvertRange& range, bool may_hide,
                    ConvertStart& start) {
  AVStream& stream = scout.stream(start.stream);
  if (range.start_s <= 0 && (may_hide || !media::hides_first_pictures(stream))) return;
  const int64_t origin = range.origin(scout, stream.time_base);
  const int64_t target = range.zero(scout, stream.time_base);
  std::optional<int64_t> key;
  const auto suits = [&] {
    key = next_key_frame(scout);
    return key && *key <= target;
  };
  // The last one at or before the start; then reading begins somewhat before that, for the sound.
  const bool near = scout.seek(stream.index, target) && suits();
  if (!near && !earliest_seek(scout, stream, target, origin, suits)) {
    scout.rewind();
    key = next_key_frame(scout);
  }
  if (!key) refuse_undecodable(range.start_s);
  start.key_frame_s = static_cast<double>(*key - origin) * av_q2d(stream.time_base);
  if (may_hide) start.key_frame_s = std::max(0.0, *start.key_frame_s);
  const int64_t lead = *key - ticks(kSoundLeadS, stream.time_base);
  if (lead > origin) start.seek = lead;
}

}  // namespace

ConvertStart find_start(media::Input& scout, const media::ConvertJob& job,
                        const ConvertRange& range, const Limits& limits) {
  ConvertStart start;
  start.stream = range.origin_stream;
  if (!job.video) {
    const AVStream& stream = scout.stream(start.stream);
    const double before_s = range.start_s - kSoundLeadS;
    if (before_s > 0) {
      start.seek = range.origin(scout, stream.time_base) + ticks(before_s, stream.time_base);
    }
    return start;
  }
  require_video(scout, job.video->stream);
  start.stream = job.video->stream;
  scout.select_stream(start.stream);
  if (job.video->copied()) {
    find_key_frame(scout, range, job.container == media::OutputContainer::Mp4, start);
  } else {
    find_picture(scout, range, limits, start);
  }
  return start;
}

}  // namespace millrace::jobs
