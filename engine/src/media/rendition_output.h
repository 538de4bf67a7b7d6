/// Where one rendition's frames come out: scaled for its encoder, and its pictures as segments.
#pragma once

#include "media/output_folder.h"
#include "media/plan.h"
#include "media/scaler.h"
#include "media/video_encoder.h"
#include "media/video_segmenter.h"

namespace millrace::media {

class RenditionOutput {
 public:
  RenditionOutput(const RenditionPlan& rendition, const Plan& plan, const ColorTags& color,
                  const OutputFolder& output, const TrackListener& listener);

  const RenditionPlan& rendition() const { return rendition_; }
  /// `threads` as all encoders together may use.
  VideoEncoder::Options encoder_options(int threads) const;
  void write_init_segment(const VideoEncoder& encoder);
  /// The frame in the rendition's size; the same one again when it is given again.
  const AVFrame& scaled(const av::SharedFrame& frame);
  void add(CodedPicture picture) { segmenter_.add(std::move(picture)); }
  /// Ends the last segment.
  void finish() { segmenter_.finish(); }

 private:
  RenditionPlan rendition_;
  const Plan& plan_;
  ColorTags color_;
  Scaler scaler_;
  VideoSegmenter segmenter_;
  av::SharedFrame last_input_;
  av::SharedFrame last_scaled_;
};

}  // namespace millrace::media
