#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <thread>
#include <vector>

#include "jobs/audio_pass.h"
#include "jobs/progress.h"
#include "jobs/report.h"
#include "jobs/subtitle_pass.h"
#include "jobs/track_pass.h"
#include "jobs/video_pass.h"
#include "media/manifest.h"
#include "media/playlist.h"
#include "media/rates.h"
#include "media/worker_thread.h"
#include "millrace/engine.h"

namespace millrace {

namespace jobs {
namespace {

using nlohmann::ordered_json;

VideoPass::Range range_of(const media::Plan& plan, std::optional<int> chunk) {
  if (!chunk) return {};
  if (*chunk < 0 || *chunk >= plan.chunk_count) {
    throw std::invalid_argument("--chunk must be 0 to " + std::to_string(plan.chunk_count - 1));
  }
  const bool last = *chunk == plan.chunk_count - 1;
  return {plan.chunk_start(*chunk),
          last ? media::SlotFiller::kOpenEnd : plan.chunk_start(*chunk + 1)};
}

ordered_json track_results(const media::TrackRecords& tracks, int64_t target_s,
                           const std::vector<std::string>& names) {
  ordered_json list = ordered_json::array();
  for (const std::string& name : names) {
    const auto found = tracks.find(name);
    if (found == tracks.end()) continue;
    const media::BitRates rates = media::measure(found->second.segments, target_s);
    list.push_back({{"name", name},
                    {"codecs", found->second.codecs},
                    {"segments", found->second.segments.size()},
                    {"bytes", found->second.bytes},
                    {"peak_bps", rates.peak_bps},
                    {"average_bps", rates.average_bps}});
  }
  return list;
}

/// What names the segments: written after them, and the master playlist last.
void write_manifests(const media::Plan& plan, const Report& report,
                     const media::OutputFolder& output) {
  const media::TrackRecords tracks = report.tracks();
  if (plan.format == media::SegmentFormat::Cmaf) {
    output.write("manifest.mpd", media::dash_manifest(plan, tracks));
  }
  for (const media::TextFile& file : media::hls_playlists(plan, tracks)) {
    output.write(file.path, file.text);
  }
}

/// Runs a pass beside the video; its failure is met by `join`.
class Background {
 public:
  explicit Background(TrackPass& pass) : pass_(pass), thread_([this] { run(); }) {}
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  ~Background() {
    pass_.cancel();
    if (thread_.joinable()) thread_.join();
  }

  void join() {
    thread_.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void run() {
    try {
      pass_.run();
    } catch (...) {  // carried over to join()
      failure_ = std::current_exception();
    }
  }

  TrackPass& pass_;
  std::exception_ptr failure_;
  std::thread thread_;
};

struct Work {
  std::unique_ptr<VideoPass> video;
  std::vector<std::unique_ptr<TrackPass>> others;

  int64_t bytes_read() const {
    int64_t total = video ? video->bytes_read() : 0;
    for (const auto& pass : others) total += pass->bytes_read();
    return total;
  }
};

/// How far the work is at one moment.
struct Snapshot {
  int64_t frames = 0;      ///< output frames of the highest rendition
  double share = 0;        ///< of the work, 0 to 1
  double media_s = 0;      ///< seconds of output
  int64_t bytes_read = 0;  ///< of the source
};

Snapshot snapshot_of(const Work& work, const media::Plan& plan) {
  Snapshot now;
  now.bytes_read = work.bytes_read();
  if (work.video) {
    now.frames = work.video->frames_done();
    now.share =
        static_cast<double>(now.frames) / static_cast<double>(work.video->frames_expected());
    now.media_s = static_cast<double>(now.frames) / av_q2d(plan.frame_rate);
  } else if (!work.others.empty()) {
    now.share = work.others.front()->done();
    now.media_s = now.share * plan.duration_s;
  }
  return now;
}

ordered_json progress_event(const Snapshot& now, double elapsed_s) {
  const double share = std::clamp(now.share, 0.0, 1.0);
  ordered_json event = {{"type", "progress"},
                        {"percent", rounded(share * 100, 0.1)},
                        {"frames", now.frames},
                        {"fps", rounded(static_cast<double>(now.frames) / elapsed_s, 0.1)},
                        {"speed", rounded(now.media_s / elapsed_s, 0.01)},
                        {"eta_s", nullptr},
                        {"bytes_read", now.bytes_read}};
  constexpr double kEnoughToGuess = 0.005;
  if (share > kEnoughToGuess) event["eta_s"] = rounded(elapsed_s * (1 - share) / share, 0.1);
  return event;
}

void run_all(Work& work) {
  std::vector<std::unique_ptr<Background>> others;
  for (auto& pass : work.others) others.push_back(std::make_unique<Background>(*pass));
  if (work.video) work.video->run();
  for (auto& other : others) other->join();
}

/// The entries of one of the plan's lists that are to be made: all, only the N-th, or none.
template <typename Entry>
std::vector<Entry> chosen(const std::vector<Entry>& entries, std::optional<int> only,
                          const char* option, bool is_whole) {
  if (is_whole) return entries;
  if (!only) return {};
  if (static_cast<size_t>(*only) >= entries.size()) {
    throw std::invalid_argument(std::string{option} + ": the plan has no such entry");
  }
  return {entries[static_cast<size_t>(*only)]};
}

bool is_whole(const TranscodeOptions& options) {
  return !options.chunk && !options.audio && !options.subtitles;
}

Work make_work(const TranscodeOptions& options, const media::Plan& plan,
               const media::OutputFolder& output, Report& report, const StopToken& stop) {
  Work work;
  const bool whole = is_whole(options);
  if (whole || options.chunk) {
    work.video = std::make_unique<VideoPass>(options, plan, range_of(plan, options.chunk), output,
                                             report, stop);
  }
  for (const media::AudioPlan& audio : chosen(plan.audio, options.audio, "--audio", whole)) {
    // Beside the pictures one thread is enough: they take far longer.
    const int threads = whole ? 1 : media::thread_count(options.threads);
    work.others.push_back(
        std::make_unique<AudioPass>(options, plan, audio, output, report, stop, threads));
  }
  const auto subtitles = chosen(plan.subtitles, options.subtitles, "--subtitles", whole);
  if (!subtitles.empty()) {
    work.others.push_back(
        std::make_unique<SubtitlePass>(options, plan, subtitles, output, report, stop));
  }
  return work;
}

ordered_json result_of(const Work& work, const media::Plan& plan, const Report& report,
                       double wall_s) {
  std::vector<std::string> renditions;
  std::vector<std::string> sounds;
  std::vector<std::string> subtitles;
  for (const auto& rendition : plan.renditions) renditions.push_back(rendition.name);
  for (const auto& audio : plan.audio) sounds.push_back(audio.name);
  for (const auto& entry : plan.subtitles) subtitles.push_back(entry.name);
  const Snapshot end = snapshot_of(work, plan);
  const media::TrackRecords tracks = report.tracks();
  const int64_t target_s = media::target_duration_s(plan, tracks);
  return {{"type", "result"},
          {"frames", end.frames},
          {"duration_s", seconds(end.media_s)},
          {"renditions", track_results(tracks, target_s, renditions)},
          {"audio", track_results(tracks, target_s, sounds)},
          {"subtitles", track_results(tracks, target_s, subtitles)},
          {"bytes_read", end.bytes_read},
          {"wall_s", std::round(wall_s * 1000) / 1000},
          {"warnings", report.warnings()}};
}

}  // namespace
}  // namespace jobs

void transcode(const TranscodeOptions& options, const EventSink& events, const StopToken& stop) {
  const auto started = std::chrono::steady_clock::now();
  const media::Plan plan = media::load_plan(options.plan);
  const media::OutputFolder output(options.output, options.source.limits.max_output_bytes,
                                   plan.format);
  jobs::Report report(events);
  jobs::Work work = jobs::make_work(options, plan, output, report, stop);
  {
    const jobs::Progress progress(report, [&](double elapsed_s) {
      return jobs::progress_event(jobs::snapshot_of(work, plan), elapsed_s);
    });
    jobs::run_all(work);
  }
  if (jobs::is_whole(options)) jobs::write_manifests(plan, report, output);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - started;
  report.emit(jobs::result_of(work, plan, report, wall.count()));
}

}  // namespace millrace
