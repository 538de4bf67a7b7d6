#include "media/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "av/error.h"
#include "media/filter_chain.h"
#include "media/frame_grid.h"

namespace millrace::media {

namespace {

constexpr int64_t kPictures = 24;  ///< of one sample
constexpr double kSecondsPerSample = 15;
constexpr double kMostSamples = 8;
constexpr size_t kCandidatesPerSample = 3;
constexpr int kCells = 8;  ///< a mark has that many each way
constexpr int kSamplerThreads = 2;

float cell_mean(const AVFrame& picture, int column, int row) {
  constexpr int kStep = 4;
  double total = 0;
  int count = 0;
  for (int y = picture.height * row / kCells; y < picture.height * (row + 1) / kCells; y += kStep) {
    const uint8_t* line = picture.data[0] + static_cast<std::ptrdiff_t>(y) * picture.linesize[0];
    for (int x = picture.width * column / kCells; x < picture.width * (column + 1) / kCells;
         x += kStep) {
      total += line[x];
      ++count;
    }
  }
  return count == 0 ? 0 : static_cast<float>(total / count);
}

std::vector<float> cells_of(const AVFrame& picture) {
  std::vector<float> cells;
  for (int row = 0; row < kCells; ++row) {
    for (int column = 0; column < kCells; ++column) {
      cells.push_back(cell_mean(picture, column, row));
    }
  }
  return cells;
}

double distance(const SceneMark& left, const SceneMark& right) {
  double sum = 0;
  for (size_t n = 0; n < left.cells.size(); ++n) {
    const double step = left.cells[n] - right.cells[n];
    sum += step * step;
  }
  return sum;
}

/// The mark that is least like any chosen one.
size_t farthest(const std::vector<SceneMark>& marks, const std::vector<MarkChoice>& chosen) {
  size_t result = 0;
  double most = -1;
  for (size_t n = 0; n < marks.size(); ++n) {
    double nearest = std::numeric_limits<double>::max();
    for (const MarkChoice& choice : chosen) {
      nearest = std::min(nearest, distance(marks[n], marks[choice.mark]));
    }
    if (nearest > most) {
      most = nearest;
      result = n;
    }
  }
  return result;
}

size_t sample_count(double duration_s) {
  return static_cast<size_t>(
      std::clamp(std::round(duration_s / kSecondsPerSample), 2.0, kMostSamples));
}

}  // namespace

std::vector<MarkChoice> choose_marks(const std::vector<SceneMark>& marks, size_t most) {
  std::vector<MarkChoice> chosen;
  if (marks.empty()) return chosen;
  chosen.push_back({marks.size() / 2, 0});  // openings are often titles: begin in the middle
  while (chosen.size() < std::min(most, marks.size())) {
    chosen.push_back({farthest(marks, chosen), 0});
  }
  for (const SceneMark& mark : marks) {
    const auto nearest = std::min_element(
        chosen.begin(), chosen.end(), [&](const MarkChoice& left, const MarkChoice& right) {
          return distance(mark, marks[left.mark]) < distance(mark, marks[right.mark]);
        });
    nearest->share += mark.share;
  }
  return chosen;
}

Sampler::Sampler(Input& input, const Plan& plan, const RenditionPlan& judged, int64_t max_pixels,
                 const StopToken& stop)
    : input_(input),
      plan_(plan),
      stream_(input.stream(plan.video_stream)),
      facts_(video_facts(input.format(), stream_)),
      origin_(input.origin(plan.video_stream, stream_.time_base)),
      normaliser_(facts_, stream_.time_base, judged.width, judged.height),
      scaler_(judged.width, judged.height),
      scout_(stream_, {1, max_pixels, true}),
      decoder_(stream_, {kSamplerThreads, max_pixels, false}),
      stop_(stop) {
  input_.select_stream(plan.video_stream);
}

double Sampler::time_of(int64_t timestamp) const {
  return static_cast<double>(timestamp - origin_) * av_q2d(stream_.time_base);
}

av::SharedFrame Sampler::prepared(TimedFrame decoded) {
  decoded.frame->sample_aspect_ratio =
      av_guess_sample_aspect_ratio(&input_.format(), &stream_, decoded.frame.get());
  decoded.frame->pts = decoded.timestamp;
  return scaler_.scale(normaliser_.apply(av::share(std::move(decoded.frame))));
}

/// The key frame before a time; nothing more is read or decoded than that.
std::optional<TimedFrame> Sampler::key_frame_before(int64_t timestamp) {
  std::optional<TimedFrame> found;
  const auto take = [&found](TimedFrame frame) {
    found = std::move(frame);
    return false;
  };
  if (!input_.seek(plan_.video_stream, timestamp)) input_.rewind();
  const av::Packet packet = av::make_packet();
  while (!found && input_.read(*packet)) {
    stop_.check();
    if ((packet->flags & AV_PKT_FLAG_KEY) == 0) continue;
    scout_.decode(packet.get(), take);
    if (!found) scout_.decode(nullptr, take);  // or it would wait for pictures to reorder
    scout_.flush();
  }
  return found;
}

/// The key frames before evenly spaced times, each one once.
std::vector<SceneMark> Sampler::scout(size_t candidates) {
  std::vector<SceneMark> marks;
  for (size_t n = 0; n < candidates; ++n) {
    const double at_s =
        plan_.duration_s * (static_cast<double>(n) + 0.5) / static_cast<double>(candidates);
    const auto ticks = static_cast<int64_t>(std::llround(at_s / av_q2d(stream_.time_base)));
    auto frame = key_frame_before(origin_ + ticks);
    if (!frame) continue;
    const int64_t timestamp = frame->timestamp;
    if (!marks.empty() && marks.back().timestamp == timestamp) {
      ++marks.back().share;
    } else {
      marks.push_back({timestamp, 1, cells_of(*prepared(std::move(*frame)))});
    }
  }
  return marks;
}

/// Pictures on the plan's grid from a key frame on.
std::vector<av::SharedFrame> Sampler::read_run(int64_t timestamp) {
  const FrameGrid grid(plan_.frame_rate, stream_.time_base, origin_);
  const int64_t start = grid.slot_of(timestamp);
  std::vector<av::SharedFrame> pictures;
  SlotFiller filler(grid, start, start + kPictures,
                    [&](int64_t, const av::SharedFrame& frame) { pictures.push_back(frame); });
  std::optional<FilterChain> deinterlacer;
  if (facts_.may_be_interlaced) {
    deinterlacer.emplace("bwdif=mode=send_frame:deint=interlaced", stream_.time_base);
  }
  const auto fill = [&](TimedFrame frame) {
    if (frame.timestamp < timestamp) return true;  // of the group of pictures before
    const int64_t at = frame.timestamp;
    const int64_t duration = frame.duration;
    if (!deinterlacer) {
      filler.push(prepared(std::move(frame)), at, duration);
      return !filler.done();
    }
    frame.frame->pts = at;
    deinterlacer->push(*frame.frame, [&](av::Frame clean) {
      const int64_t shown = clean->pts;
      filler.push(prepared({std::move(clean), shown, duration}), shown, duration);
    });
    return !filler.done();
  };
  if (!input_.seek(plan_.video_stream, timestamp)) input_.rewind();
  decoder_.flush();
  const av::Packet packet = av::make_packet();
  bool more = true;
  while (more && input_.read(*packet)) {
    stop_.check();
    more = decoder_.decode(packet.get(), fill);
  }
  if (more) decoder_.decode(nullptr, fill);
  if (more) filler.finish();
  return pictures;
}

void Sampler::run(const std::function<void(const TitleSample&)>& on_sample) {
  const size_t wanted = sample_count(plan_.duration_s);
  const std::vector<SceneMark> marks = scout(wanted * kCandidatesPerSample);
  key_frames_ = marks.size();
  for (const MarkChoice& choice : choose_marks(marks, wanted)) {
    const int64_t timestamp = marks[choice.mark].timestamp;
    TitleSample sample;
    sample.time_s = std::max(0.0, time_of(timestamp));
    sample.weight =
        static_cast<double>(choice.share) / static_cast<double>(wanted * kCandidatesPerSample);
    sample.pictures = read_run(timestamp);
    if (!sample.pictures.empty()) on_sample(sample);
  }
}

}  // namespace millrace::media
