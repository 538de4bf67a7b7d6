#include "media/webvtt.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <utility>

#include "media/mpegts.h"
#include "millrace/engine.h"

extern "C" {
#include <libavutil/mathematics.h>
}

namespace millrace::media {

namespace {

constexpr int64_t kLongestOpenCueMs = 10'000;
/// Of one track's segments together: a two-hour film has about 100 KB, and cues that last for
/// hours, which every segment repeats, must not fill the disk.
constexpr int64_t kMostBytes = 64 << 20;
constexpr int64_t kCueOverheadBytes = 40;

std::string clock_text(int64_t time_ms) {
  constexpr int64_t kHourMs = 3'600'000;
  constexpr int64_t kMinuteMs = 60'000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%02" PRId64 ":%02" PRId64 ":%02" PRId64 ".%03" PRId64,
                time_ms / kHourMs, time_ms / kMinuteMs % 60, time_ms / 1000 % 60, time_ms % 1000);
  return text.data();
}

std::string cue_block(const Cue& cue) {
  return "\n" + clock_text(cue.start_ms) + " --> " + clock_text(cue.end_ms) +
         (cue.text.at_top ? " line:0" : "") + "\n" + cue.text.payload + "\n";
}

}  // namespace

WebVttSegmenter::WebVttSegmenter(SubtitlePlan subtitles, const Plan& plan,
                                 const OutputFolder& output, const TrackListener& listener)
    : subtitles_(std::move(subtitles)),
      frame_rate_(plan.frame_rate),
      segment_frames_(plan.segment_frames),
      frames_(plan.expected_frames()),
      segment_count_((frames_ + segment_frames_ - 1) / segment_frames_),
      length_ms_(
          av_rescale_rnd(frames_ * plan.frame_rate.den, 1000, plan.frame_rate.num, AV_ROUND_UP)),
      output_(output),
      listener_(listener) {}

void WebVttSegmenter::add(Cue cue) {
  if (cue.end_ms <= std::max<int64_t>(0, cue.start_ms) || cue.start_ms >= length_ms_) return;
  cue.start_ms = std::max<int64_t>(0, cue.start_ms);
  charge(cue, 1);
  cues_.push_back(std::move(cue));
}

void WebVttSegmenter::charge(const Cue& cue, int64_t times) {
  const auto size = static_cast<int64_t>(cue.text.payload.size()) + kCueOverheadBytes;
  bytes_ += size * times;
  if (bytes_ > kMostBytes) {
    throw EngineError(Reason::LimitExceeded,
                      "The subtitles " + subtitles_.name + " are larger than is allowed.",
                      static_cast<double>(cue.start_ms) / 1000);
  }
}

void WebVttSegmenter::close_open_cues() {
  int64_t next_ms = length_ms_;
  for (size_t n = cues_.size(); n-- > 0;) {
    Cue& cue = cues_[n];
    // Cues that begin together end together.
    if (n + 1 < cues_.size() && cues_[n + 1].start_ms > cue.start_ms) {
      next_ms = cues_[n + 1].start_ms;
    }
    if (cue.end_ms == Cue::kOpenEnd) {
      cue.end_ms = std::max(cue.start_ms + 1, std::min(next_ms, cue.start_ms + kLongestOpenCueMs));
    }
    cue.end_ms = std::min(cue.end_ms, length_ms_);
  }
}

void WebVttSegmenter::finish() {
  std::stable_sort(cues_.begin(), cues_.end(), [](const Cue& left, const Cue& right) {
    return left.start_ms < right.start_ms;
  });
  close_open_cues();
  write_whole();
  int64_t index = 0;
  for (const std::vector<size_t>& shown : by_segment()) write_segment(index++, segment_text(shown));
}

int64_t WebVttSegmenter::segment_at(int64_t time_ms) const {
  const int64_t segment = segment_frames_ * frame_rate_.den * 1000;
  return std::clamp<int64_t>(av_rescale_rnd(time_ms, frame_rate_.num, segment, AV_ROUND_DOWN), 0,
                             segment_count_ - 1);
}

/// For every segment the cues shown in it, by index (RFC 8216, 3.5: in each of them).
std::vector<std::vector<size_t>> WebVttSegmenter::by_segment() {
  std::vector<std::vector<size_t>> segments(static_cast<size_t>(segment_count_));
  for (size_t n = 0; n < cues_.size(); ++n) {
    const int64_t first = segment_at(cues_[n].start_ms);
    const int64_t last = segment_at(cues_[n].end_ms - 1);
    charge(cues_[n], last - first);
    for (int64_t at = first; at <= last; ++at) segments[static_cast<size_t>(at)].push_back(n);
  }
  return segments;
}

std::string WebVttSegmenter::segment_text(const std::vector<size_t>& shown) const {
  const int64_t zero = output_.format() == SegmentFormat::MpegTs ? kTransportZero : 0;
  std::string text =
      "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:" + std::to_string(zero) + "\n";
  for (const size_t n : shown) text += cue_block(cues_[n]);
  return text;
}

void WebVttSegmenter::write_whole() const {
  std::string text = "WEBVTT\n";
  for (const Cue& cue : cues_) text += cue_block(cue);
  const std::string path = subtitles_.name + "/" + kWholeSubtitles;
  output_.write(path, text);
  listener_.on_init({subtitles_.name, path, static_cast<int64_t>(text.size()), "wvtt"});
}

void WebVttSegmenter::write_segment(int64_t index, const std::string& text) const {
  const std::string path = segment_path(subtitles_.name, index, ".vtt");
  output_.write(path, text);
  const int64_t frames = std::min(segment_frames_, frames_ - index * segment_frames_);
  const AVRational duration{static_cast<int>(frames) * frame_rate_.den, frame_rate_.num};
  listener_.on_segment({subtitles_.name, index, path, static_cast<int64_t>(text.size()), duration});
}

}  // namespace millrace::media
