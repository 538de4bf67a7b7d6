#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "jobs/report.h"
#include "media/input.h"
#include "media/plan.h"
#include "media/sampler.h"
#include "media/title_ladder.h"
#include "media/trial.h"
#include "media/worker_thread.h"
#include "millrace/engine.h"

namespace millrace {

namespace jobs {
namespace {

using nlohmann::ordered_json;

constexpr std::array<int, 3> kTrialCrfs = {20, 27, 34};
// Samples of fewer scenes than this say too little about a video that is longer than one sample.
constexpr size_t kLeastKeyFrames = 2;
constexpr double kShortVideoS = 5;

/// Calls `work(0)` to `work(count - 1)` on some threads; throws what the first failure threw.
template <typename Work>
void for_each_in_parallel(size_t count, int threads, const Work& work) {
  std::atomic<size_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto loop = [&] {
    for (size_t n = next++; n < count; n = next++) {
      try {
        work(n);
      } catch (...) {  // carried over to the thread that waits
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next = count;
      }
    }
  };
  std::vector<std::thread> pool;
  for (int n = 1; n < threads; ++n) pool.emplace_back(loop);
  loop();
  for (std::thread& thread : pool) thread.join();
  if (failure) std::rethrow_exception(failure);
}

/// Adds up what the samples' trials give, by weight.
class TitleAnalysis {
 public:
  TitleAnalysis(const media::Plan& plan, int threads, const StopToken& stop)
      : plan_(plan), threads_(threads), stop_(stop) {
    for (const auto& rendition : plan.renditions) {
      media::TrialCurve curve{rendition.name, rendition.rate.maxrate_bps, {}};
      for (const int crf : kTrialCrfs) curve.trials.push_back({crf, 0, 0});
      curves_.push_back(std::move(curve));
    }
  }

  void add(const media::TitleSample& sample) {
    const media::TrialBench bench(plan_, sample);
    std::vector<std::vector<av::SharedFrame>> pictures;
    for (const auto& rendition : plan_.renditions) {
      pictures.push_back(media::scaled(sample.pictures, rendition.width, rendition.height));
    }
    std::vector<media::TrialResult> results(plan_.renditions.size() * kTrialCrfs.size());
    for_each_in_parallel(results.size(), threads_, [&](size_t n) {
      stop_.check();
      const size_t rung = n / kTrialCrfs.size();
      results[n] =
          bench.run(plan_.renditions[rung], pictures[rung], kTrialCrfs[n % kTrialCrfs.size()]);
    });
    for (size_t n = 0; n < results.size(); ++n) add(n, results[n], sample.weight);
    samples_.push_back({{"time_s", seconds(sample.time_s)},
                        {"weight", seconds(sample.weight)},
                        {"pictures", sample.pictures.size()}});
    weight_ += sample.weight;
  }

  std::vector<media::TrialCurve> curves() const {
    std::vector<media::TrialCurve> result = curves_;
    for (auto& curve : result) {
      for (auto& trial : curve.trials) {
        trial.bps /= weight_;
        trial.vmaf /= weight_;
      }
    }
    return result;
  }

  const ordered_json& samples() const { return samples_; }

 private:
  void add(size_t n, const media::TrialResult& result, double weight) {
    media::OperatingPoint& trial = curves_[n / kTrialCrfs.size()].trials[n % kTrialCrfs.size()];
    trial.bps += weight * result.bps;
    trial.vmaf += weight * result.vmaf;
  }

  const media::Plan& plan_;
  int threads_;
  const StopToken& stop_;
  std::vector<media::TrialCurve> curves_;
  ordered_json samples_ = ordered_json::array();
  double weight_ = 0;
};

ordered_json useless_code(media::Useless useless) {
  switch (useless) {
    case media::Useless::Dearer:
      return "dearer";
    case media::Useless::NoGain:
      return "no_gain";
    case media::Useless::NotNeeded:
      return "not_needed";
    case media::Useless::No:
      break;
  }
  return nullptr;
}

double hundredths(double value) {
  return std::round(value * 100) / 100;
}

ordered_json trials_json(const media::TrialCurve& curve) {
  ordered_json list = ordered_json::array();
  for (const auto& trial : curve.trials) {
    list.push_back({{"crf", trial.crf},
                    {"average_bps", std::llround(trial.bps)},
                    {"vmaf", hundredths(trial.vmaf)}});
  }
  return list;
}

ordered_json renditions_json(const std::vector<media::TrialCurve>& curves, double target_vmaf) {
  const auto choices = media::choose_ladder(curves, target_vmaf);
  ordered_json list = ordered_json::array();
  for (size_t n = 0; n < curves.size(); ++n) {
    const media::RungChoice& choice = choices[n];
    list.push_back({{"name", curves[n].name},
                    {"useful", choice.useless == media::Useless::No},
                    {"useless_because", useless_code(choice.useless)},
                    {"crf", choice.point.crf},
                    {"maxrate_bps", choice.maxrate_bps},
                    {"average_bps", std::llround(choice.point.bps)},
                    {"vmaf", hundredths(choice.point.vmaf)},
                    {"vmaf_at_cap", hundredths(choice.vmaf_at_cap)},
                    {"trials", trials_json(curves[n])}});
  }
  return list;
}

void require_video(const AVStream& stream) {
  if (stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO) return;
  throw EngineError(Reason::SourceChanged,
                    "The plan's video stream is not a video: the source was replaced.");
}

/// Trials are made with libx264; its quality settings mean nothing to other encoders.
void require_h264(const media::Plan& plan) {
  for (const media::RenditionPlan& rendition : plan.renditions) {
    if (rendition.codec == media::VideoCodec::H264) continue;
    throw std::invalid_argument("plan: " + rendition.name + " is not h264, which analyse needs");
  }
}

const media::RenditionPlan& judging_rendition(const media::Plan& plan) {
  return *std::max_element(
      plan.renditions.begin(), plan.renditions.end(), [](const auto& left, const auto& right) {
        return int64_t{left.width} * left.height < int64_t{right.width} * right.height;
      });
}

}  // namespace
}  // namespace jobs

void analyse(const AnalyseOptions& options, const EventSink& events, const StopToken& stop) {
  const auto started = std::chrono::steady_clock::now();
  const media::Plan plan = media::load_plan(options.plan);
  jobs::require_h264(plan);
  jobs::Report report(events);
  media::Input input(options.source, stop);
  jobs::require_video(input.stream(plan.video_stream));
  media::Sampler sampler(input, plan, jobs::judging_rendition(plan),
                         options.source.limits.max_pixels, stop);
  jobs::TitleAnalysis analysis(plan, media::thread_count(options.threads), stop);
  sampler.run([&analysis](const media::TitleSample& sample) { analysis.add(sample); });
  if (analysis.samples().empty()) {
    throw EngineError(Reason::Corrupt,
                      "No picture of the video could be decoded. Upload it again or re-export it.");
  }
  const bool reliable =
      sampler.key_frames() >= jobs::kLeastKeyFrames || plan.duration_s <= jobs::kShortVideoS;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - started;
  report.emit({{"type", "result"},
               {"target_vmaf", options.target_vmaf},
               {"reliable", reliable},
               {"renditions", jobs::renditions_json(analysis.curves(), options.target_vmaf)},
               {"samples", analysis.samples()},
               {"pictures_decoded", sampler.pictures_decoded()},
               {"bytes_read", input.bytes_read()},
               {"wall_s", std::round(wall.count() * 1000) / 1000},
               {"warnings", report.warnings()}});
}

}  // namespace millrace
