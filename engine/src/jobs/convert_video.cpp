#include "jobs/convert_video.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "av/error.h"

extern "C" {
#include <libavutil/mathematics.h>
}

namespace millrace::jobs {

namespace {

constexpr int64_t kQueueBytes = 96 << 20;

/// The stream's ticks, or parts of them: at least ten thousand a second, so that what begins
/// between two of them is in step with the sound to a tenth of a millisecond.
AVRational fine_time_base(AVRational source) {
  constexpr int64_t kLeast = 10'000;
  constexpr int64_t kMost = 1'000'000;
  const int64_t per_s = source.den / std::max(1, source.num);
  if (per_s >= kMost) return {1, static_cast<int>(kMost)};
  if (per_s >= kLeast) return source;
  const int64_t parts = kLeast / std::max<int64_t>(1, per_s) + 1;
  AVRational fine{0, 1};
  av_reduce(&fine.num, &fine.den, source.num, source.den * parts, INT32_MAX);
  return fine;
}

size_t queue_length(const AVFrame& picture) {
  const int64_t bytes = std::max<int64_t>(1, int64_t{picture.width} * picture.height * 2);
  return static_cast<size_t>(std::clamp<int64_t>(kQueueBytes / bytes, 2, 16));
}

/// Without what is not to be done: HDR that is kept is a picture like any other.
media::VideoFacts facts_for(const ConvertContext& context, AVStream& stream) {
  media::VideoFacts facts = media::video_facts(context.input.format(), stream);
  if (!context.job.video->keep_hdr || facts.hdr == media::Hdr::None) return facts;
  if (context.job.video->codec == AV_CODEC_ID_H264 || context.job.video->pixel_depth < 10) {
    throw std::invalid_argument(
        "job: video.hdr: to keep HDR takes hevc, av1 or vp9 and a pixel_depth of 10");
  }
  facts.hdr = media::Hdr::None;
  return facts;
}

template <typename Metadata>
void add_side_data(AVStream& stream, AVPacketSideDataType type,
                   const std::optional<Metadata>& value) {
  if (!value) return;
  uint8_t* bytes =
      av::check_ptr(av_stream_new_side_data(&stream, type, sizeof(Metadata)), "describe HDR");
  std::memcpy(bytes, &*value, sizeof(Metadata));
}

}  // namespace

ConvertVideoTrack::ConvertVideoTrack(const ConvertContext& context, const AVFrame& first)
    : ConvertTrack(context, context.job.video->stream),
      video_(*context.job.video),
      facts_(facts_for(context, source_)),
      time_base_(fine_time_base(source_.time_base)),
      shape_(media::picture_shape(video_, facts_, first.width, first.height)),
      damage_(context.report, source_.index, "DAMAGED_PICTURES",
              "Pictures are damaged here; they were concealed or left out."),
      queue_(queue_length(first)) {
  open_encoder(first);
  describe_stream();
  shaper_ =
      std::make_unique<media::PictureShaper>(shape_, facts_, source_.time_base, video_.pixel_depth);
  make_times();
  constexpr int kMostDecoderThreads = 16;
  pictures_ = std::make_unique<media::PictureStream>(
      context.input, source_, facts_,
      media::Decoder::Options{std::min(media::thread_count(context.threads), kMostDecoderThreads),
                              context.limits.max_pixels, false},
      context.range.start_s <= 0,
      media::PictureStream::Listener{
          [this](media::TimedFrame picture) { return take_picture(std::move(picture)); }, nullptr,
          [this](int64_t timestamp) { note_damage(timestamp); }});
  thread_.emplace([this] { work(); }, [this] { queue_.abandon(); });
}

ConvertVideoTrack::~ConvertVideoTrack() {
  queue_.abandon();
  thread_->join();
}

void ConvertVideoTrack::open_encoder(const AVFrame& first) {
  media::PictureEncoder::Options options;
  options.video = video_;
  options.width = shape_.width;
  options.height = shape_.height;
  options.sample_aspect = shape_.sample_aspect;
  options.frame_rate = video_.fps.value_or(media::nominal_frame_rate(source_));
  options.time_base = video_.fps ? av_inv_q(*video_.fps) : time_base_;
  options.color = media::output_color(facts_);
  if (video_.keep_hdr) {
    hdr_ = media::hdr_metadata(source_);
    media::complete(hdr_, first);
    options.hdr = hdr_;
  }
  options.threads = context_.threads;
  encoder_ = std::make_unique<media::PictureEncoder>(std::move(options), [this](AVPacket& packet) {
    note_coded(packet.pts + packet.duration);
    context_.muxer.write(packet, *output_, encoder_->context().time_base);
  });
}

void ConvertVideoTrack::describe_stream() {
  output_ = &context_.muxer.add_stream();
  const AVCodecContext& codec = encoder_->context();
  av::check(avcodec_parameters_from_context(output_->codecpar, &codec), "describe the video");
  // Parameter sets only in the sample description, which is what Apple's players want.
  if (video_.codec == AV_CODEC_ID_HEVC && context_.job.container == media::OutputContainer::Mp4) {
    output_->codecpar->codec_tag = MKTAG('h', 'v', 'c', '1');
  }
  output_->time_base = codec.time_base;
  output_->sample_aspect_ratio = shape_.sample_aspect;
  // A rate in the header is a promise that each picture lasts equally long.
  constexpr double kEven = 0.001;
  const double base = av_q2d(source_.r_frame_rate);
  const double average = av_q2d(source_.avg_frame_rate);
  if (video_.fps || (base > 0 && std::abs(average / base - 1) < kEven)) {
    output_->avg_frame_rate = codec.framerate;
  }
  add_side_data(*output_, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, hdr_.mastering);
  add_side_data(*output_, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, hdr_.light);
}

int64_t ConvertVideoTrack::ticks(double time_s) const {
  return std::llround(time_s / av_q2d(time_base_));
}

void ConvertVideoTrack::make_times() {
  const ConvertRange& range = context_.range;
  if (video_.fps) {
    const media::FrameGrid grid(*video_.fps, time_base_, ticks(range.start_s));
    const int64_t end =
        range.end_s ? std::max<int64_t>(1, std::llround(*range.length_s() * av_q2d(*video_.fps)))
                    : media::SlotFiller::kOpenEnd;
    slots_.emplace(grid, 0, end,
                   [this](int64_t slot, const av::SharedFrame& frame) { push(frame, slot, 1); });
    return;
  }
  const double usual_s = 1 / av_q2d(media::nominal_frame_rate(source_));
  times_.emplace(
      media::PictureTimes::Range{ticks(range.start_s),
                                 range.end_s ? ticks(*range.end_s) : media::PictureTimes::kOpenEnd,
                                 std::max<int64_t>(1, ticks(usual_s))},
      [this](const av::SharedFrame& frame, int64_t time, int64_t duration) {
        push(frame, time, duration);
      });
}

int64_t ConvertVideoTrack::time_of(int64_t timestamp) const {
  const int64_t origin = context_.range.origin(context_.input, source_.time_base);
  return av_rescale_q(timestamp - origin, source_.time_base, time_base_);
}

void ConvertVideoTrack::note_damage(int64_t timestamp) {
  if (timestamp == AV_NOPTS_VALUE) return;
  const double time_s = static_cast<double>(time_of(timestamp)) * av_q2d(time_base_);
  damage_.note(std::max(0.0, time_s - context_.range.start_s));
}

void ConvertVideoTrack::take(AVPacket& packet) {
  if (!done()) pictures_->decode(&packet);
}

bool ConvertVideoTrack::take_picture(media::TimedFrame picture) {
  const int64_t time = time_of(picture.timestamp);
  const double time_s = static_cast<double>(time) * av_q2d(time_base_);
  if (context_.limits.max_duration_s > 0 && time_s > context_.limits.max_duration_s) {
    throw EngineError(Reason::LimitExceeded, "The video is longer than is allowed.", time_s);
  }
  const int64_t duration = av_rescale_q(picture.duration, source_.time_base, time_base_);
  reached_range_ = reached_range_ || time + duration > ticks(context_.range.start_s);
  av::SharedFrame frame = av::share(std::move(picture.frame));
  if (times_) {
    times_->push(std::move(frame), time, duration);
  } else if (!slots_->done()) {
    slots_->push(std::move(frame), time, duration);
  }
  return !done();
}

void ConvertVideoTrack::push(const av::SharedFrame& frame, int64_t time, int64_t duration) {
  if (!queue_.push({frame, time, duration})) thread_->rethrow();
}

bool ConvertVideoTrack::done() const {
  return times_ ? times_->done() : slots_->done();
}

void ConvertVideoTrack::work() {
  while (const auto item = queue_.pop()) {
    context_.stop.check();
    if (item->frame != last_source_) {
      last_shaped_ = shaper_->apply(item->frame);
      last_source_ = item->frame;
    }
    encoder_->encode(*last_shaped_, item->time, item->duration);
    const int64_t end = item->time + item->duration;
    taken_s_.store(static_cast<double>(end) * av_q2d(encoder_->context().time_base),
                   std::memory_order_relaxed);
    if (!gives_packets()) note_coded(end);
  }
  context_.stop.check();
  encoder_->finish();
}

void ConvertVideoTrack::note_coded(int64_t end) {
  frames_.fetch_add(1, std::memory_order_relaxed);
  const double end_s = static_cast<double>(end) * av_q2d(encoder_->context().time_base);
  const double before_s = coded_s_.load(std::memory_order_relaxed);
  coded_s_.store(std::max(before_s, end_s), std::memory_order_relaxed);
}

/// The first of VP9's two passes only takes notes.
bool ConvertVideoTrack::gives_packets() const {
  return video_.codec != AV_CODEC_ID_VP9 || !video_.pass || video_.pass->number != 1;
}

void ConvertVideoTrack::finish() {
  if (!done()) pictures_->decode(nullptr);
  require_pictures();
  if (times_) {
    times_->finish();
  } else {
    slots_->finish();
  }
  queue_.close();
  thread_->join();
  thread_->rethrow();
}

void ConvertVideoTrack::require_pictures() const {
  if (pictures_->decoder().frames() == 0) {
    throw EngineError(Reason::Corrupt,
                      "No picture of the video could be decoded. Copy it again or re-export it.",
                      context_.range.start_s);
  }
  if (!reached_range_) throw std::invalid_argument("job: start_s: the video ends before that");
}

nlohmann::ordered_json ConvertVideoTrack::result() const {
  return {{"stream", source_.index}, {"codec", avcodec_get_name(encoder_->context().codec_id)},
          {"frames", frames()},      {"width", shape_.width},
          {"height", shape_.height}, {"damaged_pictures", damage_.count()}};
}

}  // namespace millrace::jobs
