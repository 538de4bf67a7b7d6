#include "jobs/video_pass.h"

#include <algorithm>
#include <cmath>

namespace millrace::jobs {

namespace {

constexpr double kLeastSoundShare = 0.95;
constexpr double kLeastMissingS = 0.25;    ///< durations in headers are no more exact than that
constexpr int64_t kDeinterlacerReach = 4;  ///< slots a temporal filter looks back, generously

int64_t pixels(const media::RenditionPlan& rendition) {
  return int64_t{rendition.width} * rendition.height;
}

const media::RenditionPlan& largest(const media::Plan& plan) {
  return *std::max_element(
      plan.renditions.begin(), plan.renditions.end(),
      [](const auto& left, const auto& right) { return pixels(left) < pixels(right); });
}

}  // namespace

VideoPass::VideoPass(const TranscodeOptions& options, const media::Plan& plan, Range range,
                     const media::OutputFolder& output, Report& report, const StopToken& stop)
    : plan_(plan),
      range_(range),
      report_(report),
      limits_(options.source.limits),
      input_(options.source, stop),
      stream_(input_.stream(plan.video_stream)),
      facts_(media::video_facts(input_.format(), stream_)),
      grid_(plan.frame_rate, stream_.time_base,
            input_.origin(plan.video_stream, stream_.time_base)),
      normaliser_(facts_, stream_.time_base, largest(plan).width, largest(plan).height),
      listener_(report.listener()) {
  if (stream_.codecpar->codec_type != AVMEDIA_TYPE_VIDEO) {
    throw EngineError(Reason::SourceChanged,
                      "The plan's video stream is not a video: the source was replaced.");
  }
  input_.select_stream(plan.video_stream);
  const int threads = media::thread_count(options.threads);
  pictures_ = std::make_unique<media::PictureStream>(
      input_, stream_, facts_,
      media::Decoder::Options{std::min(threads, 16), limits_.max_pixels, false},
      range.start_slot <= 0,
      media::PictureStream::Listener{
          [this](media::TimedFrame picture) { return fill(std::move(picture)); },
          [this](const media::TimedFrame& decoded) { return judge(decoded); }});
  ladder_ = std::make_unique<media::LadderEncoder>(
      media::LadderEncoder::Options{plan, media::output_color(facts_), stream_.codecpar->width,
                                    stream_.codecpar->height, threads, output, listener_, stop});
}

VideoPass::~VideoPass() = default;

void VideoPass::run() {
  if (input_.sound_share()) {
    report_.warn("TRUNCATED", "The file ends early; what is there was used.");
  }
  decode_range();
  ladder_->finish();
  judge_damage();
}

void VideoPass::make_filler() {
  filler_ = std::make_unique<media::SlotFiller>(
      grid_, range_.start_slot, range_.end_slot,
      [this](int64_t slot, const av::SharedFrame& frame) { emit(slot, frame); });
  last_timestamp_ = AV_NOPTS_VALUE;
  end_timestamp_ = AV_NOPTS_VALUE;
}

/// Seeks to a key frame from which the first slot's frame is decodable; steps back further while
/// the first decoded frame comes too late (open GOPs, sparse key frames, seeks by decode time).
void VideoPass::decode_range() {
  const int64_t target = grid_.timestamp_of(range_.start_slot);
  const auto tick_per_s = static_cast<int64_t>(std::llround(1 / av_q2d(stream_.time_base)));
  int64_t margin = facts_.may_be_interlaced ? tick_per_s / 2 : 0;
  while (range_.start_slot > 0 && target - margin > grid_.origin()) {
    if (!input_.seek(plan_.video_stream, target - margin)) break;
    pictures_->restart(false);
    make_filler();
    if (decode_from_here(false) != Outcome::StartedTooLate) return;
    margin = std::max(tick_per_s, margin * 2);
  }
  if (range_.start_slot > 0) {
    input_.rewind();
    pictures_->restart(true);
  }
  make_filler();
  decode_from_here(true);
}

VideoPass::Outcome VideoPass::decode_from_here(bool at_file_start) {
  too_late_ = false;
  check_start_ = !at_file_start;
  const av::Packet packet = av::make_packet();
  bool more = true;
  while (more && input_.read(*packet)) more = pictures_->decode(packet.get());
  if (more) more = pictures_->decode(nullptr);
  if (too_late_) return Outcome::StartedTooLate;
  if (!more) return Outcome::Complete;
  ended_early_ = true;
  filler_->finish();
  return Outcome::SourceEnded;
}

/// False = it was sought to a place too late for the range.
bool VideoPass::judge(const media::TimedFrame& decoded) {
  const int64_t slot = grid_.slot_of(decoded.timestamp);
  if (check_start_) {
    check_start_ = false;
    const int64_t reach = facts_.may_be_interlaced ? kDeinterlacerReach : 0;
    if (slot > range_.start_slot - reach) {
      too_late_ = true;
      return false;
    }
  }
  if (limits_.max_duration_s > 0 && slot_time_s(slot) > limits_.max_duration_s) {
    throw EngineError(Reason::LimitExceeded, "The video is longer than is allowed.",
                      slot_time_s(slot));
  }
  const bool damaged = slot >= range_.start_slot && media::is_damaged(*decoded.frame);
  if (damaged && damaged_frames_++ == 0) first_damaged_slot_ = slot;
  last_timestamp_ = std::max(last_timestamp_, decoded.timestamp);
  end_timestamp_ = std::max(end_timestamp_, decoded.timestamp + decoded.duration);
  return true;
}

/// False = every slot of the range has its picture.
bool VideoPass::fill(media::TimedFrame picture) {
  filler_->push(av::share(std::move(picture.frame)), picture.timestamp, picture.duration);
  return !filler_->done();
}

void VideoPass::emit(int64_t slot, const av::SharedFrame& frame) {
  if (frame != last_frame_) {
    last_normalised_ = normaliser_.apply(frame);
    last_frame_ = frame;
  }
  ladder_->push(slot, last_normalised_);
}

double VideoPass::slot_time_s(int64_t slot) const {
  return static_cast<double>(slot) / av_q2d(plan_.frame_rate);
}

/// Up to 5 % may be lost: then the rest is used with a warning; otherwise the file is refused.
void VideoPass::judge_damage() {
  const media::Decoder& decoder = pictures_->decoder();
  const bool nothing = last_timestamp_ == AV_NOPTS_VALUE;
  if (nothing && decoder.frames() == 0) {
    throw EngineError(Reason::Corrupt,
                      "No picture of the video could be decoded. Upload it again or re-export it.",
                      slot_time_s(range_.start_slot));
  }
  const int64_t damage = decoder.errors() + damaged_frames_;
  const auto expected = static_cast<double>(plan_.expected_frames());
  const bool evidence = damage > 0 || input_.damaged_packets() > 0;
  const int64_t end_slot =
      nothing ? 0 : std::max(grid_.slot_of(last_timestamp_) + 1, grid_.slot_of(end_timestamp_));
  const double reached_s = slot_time_s(end_slot);
  const double missing_s = plan_.duration_s - reached_s;
  const bool short_end = ended_early_ && missing_s > kLeastMissingS &&
                         missing_s > plan_.duration_s * (1 - kLeastSoundShare);
  if (short_end && evidence) {
    throw EngineError(Reason::Corrupt,
                      "The video is damaged: it can be decoded only up to the position given. "
                      "Upload it again or re-export it.",
                      reached_s);
  }
  if (static_cast<double>(damage) > std::max(1.0, expected * (1 - kLeastSoundShare))) {
    throw EngineError(Reason::Corrupt,
                      "More than 5 % of the video's pictures are damaged. Upload it again or "
                      "re-export it.",
                      std::max(0.0, slot_time_s(first_damage())));
  }
  if (damage > 0) {
    report_.warn("DAMAGED_PICTURES", std::to_string(damage) +
                                         " pictures are damaged; they were concealed or repeated.");
  }
  if (short_end) {
    report_.warn("SHORTER_THAN_DECLARED", "The video ends before the duration the file declares.");
  }
}

/// Where the first picture is that was lost or is not whole.
int64_t VideoPass::first_damage() const {
  const int64_t lost = pictures_->decoder().first_error_timestamp();
  if (lost == AV_NOPTS_VALUE) return first_damaged_slot_;
  const int64_t lost_slot = grid_.slot_of(lost);
  return damaged_frames_ > 0 ? std::min(lost_slot, first_damaged_slot_) : lost_slot;
}

int64_t VideoPass::frames_done() const {
  return ladder_->frames_encoded();
}

int64_t VideoPass::frames_expected() const {
  const int64_t end = std::min(range_.end_slot, plan_.expected_frames());
  return std::max<int64_t>(1, end - range_.start_slot);
}

}  // namespace millrace::jobs
