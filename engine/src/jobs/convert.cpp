#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <vector>

#include "jobs/convert_copy.h"
#include "jobs/convert_sound.h"
#include "jobs/convert_start.h"
#include "jobs/convert_subtitles.h"
#include "jobs/convert_tags.h"
#include "jobs/convert_track.h"
#include "jobs/convert_video.h"
#include "jobs/progress.h"
#include "jobs/report.h"
#include "millrace/engine.h"

namespace millrace {

namespace jobs {
namespace {

using nlohmann::ordered_json;

/// The tracks, and of which kind each is.
struct Tracks {
  std::vector<std::unique_ptr<ConvertTrack>> all;
  ConvertVideoTrack* video = nullptr;
  std::vector<const ConvertTrack*> sounds;
  std::vector<const ConvertTrack*> subtitles;
  std::vector<const ConvertCopyTrack*> copies;

  template <typename Track, typename... Arguments>
  Track& add(const ConvertContext& context, int stream, Arguments&&... arguments) {
    auto track = std::make_unique<Track>(context, std::forward<Arguments>(arguments)...);
    Track& made = *track;
    all.push_back(std::move(track));
    const AVFormatContext& output = context.muxer.format();
    copy_stream_tags(context, context.input.stream(stream), *output.streams[output.nb_streams - 1]);
    return made;
  }
  void add_copy(const ConvertContext& context, int stream) {
    copies.push_back(&add<ConvertCopyTrack>(context, stream, stream));
  }

  double position_s() const {
    if (video != nullptr) return video->position_s();
    double latest_s = 0;
    for (const auto& track : all) latest_s = std::max(latest_s, track->position_s());
    return latest_s;
  }
  /// All that were asked for have come; subtitles may be rare.
  bool done() const {
    return std::all_of(all.begin(), all.end(), [this](const auto& track) {
      const bool rare =
          std::find(subtitles.begin(), subtitles.end(), track.get()) != subtitles.end();
      return track->done() || (rare && all.size() > subtitles.size());
    });
  }
};

void require_known(const media::Input& input, int stream) {
  if (stream < static_cast<int>(input.format().nb_streams)) return;
  throw std::invalid_argument("job: the source has no stream " + std::to_string(stream));
}

void require_known(const media::ConvertJob& job, const media::Input& input) {
  if (job.video) require_known(input, job.video->stream);
  for (const media::ConvertAudio& audio : job.audio) require_known(input, audio.stream);
  for (const media::ConvertSubtitles& each : job.subtitles) require_known(input, each.stream);
}

/// The source's zero is that of its video, whether that is converted or not.
int origin_stream(const media::ConvertJob& job, const media::Input& input) {
  if (job.video) return job.video->stream;
  for (unsigned n = 0; n < input.format().nb_streams; ++n) {
    const AVStream& stream = *input.format().streams[n];
    if (stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !media::is_cover_art(stream)) {
      return input.best_video_stream();
    }
  }
  return job.audio.empty() ? job.subtitles.front().stream : job.audio.front().stream;
}

void add_subtitles(Tracks& tracks, const ConvertContext& context) {
  for (const media::ConvertSubtitles& subtitles : context.job.subtitles) {
    if (subtitles.codec) {
      tracks.subtitles.push_back(
          &tracks.add<ConvertSubtitleTrack>(context, subtitles.stream, subtitles));
    } else {
      tracks.add_copy(context, subtitles.stream);
      tracks.subtitles.push_back(tracks.copies.back());
    }
  }
}

Tracks make_tracks(const ConvertContext& context, const ConvertStart& start) {
  Tracks tracks;
  const media::ConvertJob& job = context.job;
  if (job.video && job.video->copied()) {
    tracks.add_copy(context, job.video->stream);
  } else if (job.video) {
    tracks.video = &tracks.add<ConvertVideoTrack>(context, job.video->stream, *start.first);
  }
  if (job.only_analyses()) return tracks;
  for (const media::ConvertAudio& audio : job.audio) {
    if (audio.codec) {
      tracks.sounds.push_back(&tracks.add<ConvertSoundTrack>(context, audio.stream, audio));
    } else {
      tracks.add_copy(context, audio.stream);
    }
  }
  add_subtitles(tracks, context);
  return tracks;
}

/// A copy can only begin at a key frame: the whole range does, so that all stay together.
void move_to_key_frame(ConvertRange& range, const ConvertStart& start, Report& report) {
  constexpr double kSame = 0.001;
  if (!start.key_frame_s || std::abs(*start.key_frame_s - range.start_s) < kSame) return;
  report.warn("STARTS_AT_KEY_FRAME",
              "A copied video can only begin at a key frame: the output begins at that time of the "
              "source, not at start_s.",
              start.stream, *start.key_frame_s);
  range.start_s = *start.key_frame_s;
}

void seek(media::Input& input, const ConvertStart& start) {
  if (!start.seek) return;
  if (!input.seek(start.stream, *start.seek)) input.rewind();
}

/// Far behind the range nothing of it follows, even from a stream that ended before.
bool is_far_behind(const ConvertContext& context, const AVPacket& packet) {
  constexpr double kFarS = 10;
  const auto length_s = context.range.length_s();
  if (!length_s || packet.dts == AV_NOPTS_VALUE) return false;
  const AVRational time_base = context.input.stream(packet.stream_index).time_base;
  const int64_t since = packet.dts - context.range.zero(context.input, time_base);
  return static_cast<double>(since) * av_q2d(time_base) > *length_s + kFarS;
}

void read_all(const ConvertContext& context, Tracks& tracks) {
  const av::Packet packet = av::make_packet();
  const av::Packet own = av::make_packet();
  while (!tracks.done() && context.input.read(*packet)) {
    if (is_far_behind(context, *packet)) break;
    for (const auto& track : tracks.all) {
      if (track->stream() != packet->stream_index) continue;
      av_packet_unref(own.get());
      av::check(av_packet_ref(own.get(), packet.get()), "reference a packet");
      track->take(*own);
    }
  }
  for (const auto& track : tracks.all) track->finish();
}

void select(media::Input& input, const Tracks& tracks) {
  std::vector<int> streams;
  for (const auto& track : tracks.all) streams.push_back(track->stream());
  input.select_streams(streams);
}

ordered_json progress_event(const Tracks& tracks, const media::Muxer& muxer,
                            std::optional<double> length_s, double elapsed_s) {
  const double time_s = tracks.position_s();
  const auto frames = tracks.video != nullptr ? tracks.video->frames() : 0;
  ordered_json event = {{"type", "progress"},
                        {"frames", frames},
                        {"time_s", seconds(time_s)},
                        {"duration_s", nullptr},
                        {"fraction", nullptr},
                        {"fps", rounded(static_cast<double>(frames) / elapsed_s, 0.1)},
                        {"speed", rounded(time_s / elapsed_s, 0.01)},
                        {"bytes", muxer.bytes()}};
  if (length_s && *length_s > 0) {
    event["duration_s"] = seconds(*length_s);
    event["fraction"] = rounded(std::clamp(time_s / *length_s, 0.0, 1.0), 0.0001);
  }
  return event;
}

/// Of the range, as far as the source's length is known.
std::optional<double> expected_length_s(const ConvertContext& context) {
  const double source_s = context.input.duration_s(context.range.origin_stream);
  const ConvertRange& range = context.range;
  if (source_s <= range.start_s) return range.length_s();
  const double rest_s = source_s - range.start_s;
  return range.end_s ? std::min(rest_s, *range.length_s()) : rest_s;
}

ordered_json results_of(const std::vector<const ConvertTrack*>& tracks) {
  ordered_json list = ordered_json::array();
  for (const ConvertTrack* track : tracks) {
    if (const ordered_json result = track->result(); !result.is_null()) list.push_back(result);
  }
  return list;
}

ordered_json result_event(const Tracks& tracks, const ConvertContext& context, double wall_s) {
  ordered_json copied = ordered_json::array();
  for (const ConvertCopyTrack* copy : tracks.copies) copied.push_back(copy->stream());
  return {{"type", "result"},
          {"duration_s", seconds(context.muxer.end_s())},
          {"bytes", context.muxer.bytes()},
          {"video", tracks.video != nullptr ? tracks.video->result() : ordered_json(nullptr)},
          {"audio", results_of(tracks.sounds)},
          {"subtitles", results_of(tracks.subtitles)},
          {"copied", copied},
          {"bytes_read", context.input.bytes_read()},
          {"wall_s", std::round(wall_s * 1000) / 1000},
          {"warnings", context.report.warnings()}};
}

void require_packets(const Tracks& tracks) {
  for (const ConvertCopyTrack* copy : tracks.copies) {
    const bool subtitle =
        std::find(tracks.subtitles.begin(), tracks.subtitles.end(), copy) != tracks.subtitles.end();
    if (copy->packets() > 0 || subtitle) continue;
    throw std::invalid_argument("job: nothing of stream " + std::to_string(copy->stream()) +
                                " lies between start_s and end_s");
  }
}

/// Writing would destroy what is still to be read.
void require_another_file(const ConvertOptions& options) {
  std::error_code unknown;
  if (std::filesystem::equivalent(options.source.location, options.output, unknown) && !unknown) {
    throw std::invalid_argument("--output is the input itself");
  }
}

void run(const ConvertContext& context, const ConvertStart& start,
         std::chrono::steady_clock::time_point started) {
  Tracks tracks = make_tracks(context, start);
  copy_file_tags(context);
  copy_chapters(context);
  context.muxer.start();
  select(context.input, tracks);
  seek(context.input, start);
  {
    const auto length_s = expected_length_s(context);
    const Progress progress(context.report, [&, length_s](double elapsed_s) {
      return progress_event(tracks, context.muxer, length_s, elapsed_s);
    });
    if (context.input.sound_share()) {
      context.report.warn("TRUNCATED", "The file ends early; what is there was used.");
    }
    read_all(context, tracks);
    require_packets(tracks);
    context.stop.check();
    context.muxer.finish();
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - started;
  context.report.emit(result_event(tracks, context, wall.count()));
}

/// SVT-AV1 has no first pass through libavcodec; the second one does all.
bool has_nothing_to_analyse(const media::ConvertJob& job) {
  return job.only_analyses() && job.video->codec == AV_CODEC_ID_AV1;
}

void tell_of_one_pass(Report& report) {
  report.warn("ONE_PASS", "AV1 is encoded in one pass: the first one was left out.");
  report.emit({{"type", "result"},
               {"duration_s", 0},
               {"bytes", 0},
               {"video", nullptr},
               {"audio", ordered_json::array()},
               {"subtitles", ordered_json::array()},
               {"copied", ordered_json::array()},
               {"warnings", report.warnings()}});
}

}  // namespace
}  // namespace jobs

void convert(const ConvertOptions& options, const EventSink& events, const StopToken& stop) {
  const auto started = std::chrono::steady_clock::now();
  const media::ConvertJob job = media::load_convert_job(options.job);
  jobs::require_another_file(options);
  jobs::Report report(events);
  if (jobs::has_nothing_to_analyse(job)) return jobs::tell_of_one_pass(report);
  jobs::ConvertStart start;
  jobs::ConvertRange range{0, job.start_s, job.end_s};
  {
    media::Input scout(options.source, stop);
    jobs::require_known(job, scout);
    range.origin_stream = jobs::origin_stream(job, scout);
    start = jobs::find_start(scout, job, range, options.source.limits);
  }
  jobs::move_to_key_frame(range, start, report);
  media::Input input(options.source, stop);
  media::Muxer muxer({options.output, job.container, options.source.limits.max_output_bytes,
                      !job.only_analyses()});
  const jobs::ConvertContext context{
      job, options.source.limits, options.threads, range, input, muxer, report, stop};
  jobs::run(context, start, started);
}

}  // namespace millrace
