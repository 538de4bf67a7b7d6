#include "media/video_segmenter.h"

#include <utility>

#include "media/mpegts.h"

namespace millrace::media {

uint32_t VideoSegmenter::timescale_for(AVRational frame_rate) {
  constexpr uint32_t kLeast = 10'000;
  auto timescale = static_cast<uint32_t>(frame_rate.num);
  while (timescale < kLeast) timescale *= 2;
  return timescale;
}

VideoSegmenter::VideoSegmenter(std::string track, AVRational frame_rate, int segment_frames,
                               const OutputFolder& output, const TrackListener& listener)
    : track_(std::move(track)),
      frame_rate_(frame_rate),
      segment_frames_(segment_frames),
      timescale_(timescale_for(frame_rate)),
      ticks_per_frame_(timescale_ / static_cast<uint32_t>(frame_rate.num) *
                       static_cast<uint32_t>(frame_rate.den)),
      output_(output),
      listener_(listener) {}

void VideoSegmenter::write_init_segment(VideoTrack track, int reorder_frames) {
  reorder_frames_ = reorder_frames;
  track.start_offset = static_cast<int32_t>(ticks_per_frame_) * reorder_frames;
  if (output_.format() == SegmentFormat::MpegTs) {
    parameter_sets_ = track.config.parameter_sets;
    listener_.on_init({track_, "", 0, track.config.codecs});
    return;
  }
  const std::vector<uint8_t> bytes = write_init(track);
  const std::string path = track_ + "/init.mp4";
  output_.write(path, bytes);
  listener_.on_init({track_, path, static_cast<int64_t>(bytes.size()), track.config.codecs});
}

void VideoSegmenter::add(CodedPicture picture) {
  if (picture.idr && picture.slot % segment_frames_ == 0) finish();
  pictures_.push_back(std::move(picture));
}

void VideoSegmenter::finish() {
  if (pictures_.empty()) return;
  const int64_t first_slot = pictures_.front().slot;  // closed GOP: the IDR is shown first
  const int64_t index = first_slot / segment_frames_;
  if (output_.format() == SegmentFormat::MpegTs) {
    finish_transport(index, first_slot);
  } else {
    finish_cmaf(index, first_slot);
  }
  pictures_.clear();
}

void VideoSegmenter::finish_cmaf(int64_t index, int64_t first_slot) {
  std::vector<Sample> samples;
  samples.reserve(pictures_.size());
  for (size_t n = 0; n < pictures_.size(); ++n) {
    CodedPicture& picture = pictures_[n];
    // Picture n in coded order is decoded at slot first + n and shown reorder_frames_ later than
    // its slot; the init segment's edit list takes that back.
    const int64_t offset_slots =
        picture.slot - first_slot - static_cast<int64_t>(n) + reorder_frames_;
    samples.push_back({std::move(picture.data), ticks_per_frame_,
                       static_cast<int32_t>(offset_slots * ticks_per_frame_), picture.idr,
                       picture.disposable});
  }
  const auto bytes =
      write_segment(static_cast<uint32_t>(index + 1), first_slot * ticks_per_frame_, samples);
  auto iframe_bytes = static_cast<int64_t>(bytes.size());  // the pictures after it end the file
  for (size_t n = 1; n < samples.size(); ++n) {
    iframe_bytes -= static_cast<int64_t>(samples[n].data.size());
  }
  write(index, bytes, iframe_bytes);
}

/// Here the slot is the time shown, and decoding runs reorder_frames_ ahead of it.
void VideoSegmenter::finish_transport(int64_t index, int64_t first_slot) {
  std::vector<AccessUnit> units;
  units.reserve(pictures_.size());
  for (size_t n = 0; n < pictures_.size(); ++n) {
    const CodedPicture& picture = pictures_[n];
    const int64_t decoded = first_slot + static_cast<int64_t>(n) - reorder_frames_;
    units.push_back({annex_b(picture.data, picture.idr, parameter_sets_), av_inv_q(frame_rate_),
                     picture.slot, decoded, picture.idr});
  }
  const TransportSegment segment = write_transport_segment(index, units);
  write(index, segment.bytes, segment.first_unit_bytes);
}

void VideoSegmenter::write(int64_t index, const std::vector<uint8_t>& bytes, int64_t iframe_bytes) {
  const std::string path = segment_path(track_, index, segment_extension(output_.format()));
  output_.write(path, bytes);
  const AVRational duration{static_cast<int>(pictures_.size()) * frame_rate_.den, frame_rate_.num};
  listener_.on_segment(
      {track_, index, path, static_cast<int64_t>(bytes.size()), duration, iframe_bytes});
}

}  // namespace millrace::media
