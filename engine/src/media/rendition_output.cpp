#include "media/rendition_output.h"

#include <utility>

namespace millrace::media {

RenditionOutput::RenditionOutput(const RenditionPlan& rendition, const Plan& plan,
                                 const ColorTags& color, const OutputFolder& output,
                                 const TrackListener& listener)
    : rendition_(rendition),
      plan_(plan),
      color_(color),
      scaler_(rendition.width, rendition.height),
      segmenter_(rendition.name, plan.frame_rate, plan.segment_frames, output, listener) {}

VideoEncoder::Options RenditionOutput::encoder_options(int threads) const {
  VideoEncoder::Options options;
  options.rendition = rendition_;
  options.preset = plan_.preset;
  options.frame_rate = plan_.frame_rate;
  options.segment_frames = plan_.segment_frames;
  options.color = color_;
  options.threads = threads;
  return options;
}

void RenditionOutput::write_init_segment(const VideoEncoder& encoder) {
  VideoTrack track;
  track.width = rendition_.width;
  track.height = rendition_.height;
  track.timescale = VideoSegmenter::timescale_for(plan_.frame_rate);
  track.color = color_;
  track.config = encoder.config();
  track.maxrate_bps = rendition_.rate.maxrate_bps;
  track.bufsize_bits = rendition_.rate.bufsize_bits;
  segmenter_.write_init_segment(std::move(track), encoder.reorder_frames());
}

const AVFrame& RenditionOutput::scaled(const av::SharedFrame& frame) {
  if (frame != last_input_) {
    last_scaled_ = scaler_.scale(frame);
    last_input_ = frame;
  }
  return *last_scaled_;
}

}  // namespace millrace::media
