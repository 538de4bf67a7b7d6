#include "media/filter_chain.h"

#include <utility>

#include "av/error.h"

extern "C" {
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/avstring.h>
#include <libavutil/mathematics.h>
}

namespace millrace::media {

FilterChain::FilterChain(std::string description, AVRational time_base)
    : description_(std::move(description)), time_base_(time_base) {}

bool FilterChain::fits(const AVFrame& frame) const {
  return graph_ && frame.width == width_ && frame.height == height_ && frame.format == format_;
}

void FilterChain::push(const AVFrame& frame, const OnFrame& on_frame) {
  if (!fits(frame)) {
    if (graph_) finish(on_frame);
    build(frame);
  }
  const av::Frame input = av::clone(frame);
  av::check(av_buffersrc_add_frame_flags(source_, input.get(), AV_BUFFERSRC_FLAG_KEEP_REF),
            "filter a frame");
  drain(on_frame);
}

void FilterChain::finish(const OnFrame& on_frame) {
  if (!graph_) return;
  av::check(av_buffersrc_add_frame_flags(source_, nullptr, 0), "finish filtering");
  drain(on_frame);
  graph_.reset();
}

void FilterChain::drain(const OnFrame& on_frame) {
  for (;;) {
    av::Frame frame = av::make_frame();
    const int rc = av_buffersink_get_frame(sink_, frame.get());
    if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) return;
    av::check(rc, "take a filtered frame");
    frame->pts = av_rescale_q(frame->pts, av_buffersink_get_time_base(sink_), time_base_);
    on_frame(std::move(frame));
  }
}

void FilterChain::build(const AVFrame& frame) {
  graph_.reset(av::check_ptr(avfilter_graph_alloc(), "allocate a filter graph"));
  graph_->nb_threads = 1;
  source_ =
      av::check_ptr(avfilter_graph_alloc_filter(graph_.get(), avfilter_get_by_name("buffer"), "in"),
                    "create the filter input");
  const av::SourceParameters parameters{
      av::check_ptr(av_buffersrc_parameters_alloc(), "allocate filter parameters")};
  parameters->format = frame.format;
  parameters->width = frame.width;
  parameters->height = frame.height;
  parameters->time_base = time_base_;
  parameters->sample_aspect_ratio = frame.sample_aspect_ratio;
  av::check(av_buffersrc_parameters_set(source_, parameters.get()), "describe the filter input");
  av::check(avfilter_init_str(source_, nullptr), "start the filter input");
  av::check(avfilter_graph_create_filter(&sink_, avfilter_get_by_name("buffersink"), "out", nullptr,
                                         nullptr, graph_.get()),
            "create the filter output");

  av::FilterInOut outputs{av::check_ptr(avfilter_inout_alloc(), "allocate filter ends")};
  av::FilterInOut inputs{av::check_ptr(avfilter_inout_alloc(), "allocate filter ends")};
  outputs->name = av_strdup("in");
  outputs->filter_ctx = source_;
  inputs->name = av_strdup("out");
  inputs->filter_ctx = sink_;
  AVFilterInOut* raw_inputs = inputs.release();
  AVFilterInOut* raw_outputs = outputs.release();
  const int parsed = avfilter_graph_parse_ptr(graph_.get(), description_.c_str(), &raw_inputs,
                                              &raw_outputs, nullptr);
  inputs.reset(raw_inputs);
  outputs.reset(raw_outputs);
  av::check(parsed, "parse the filter chain", description_);
  av::check(avfilter_graph_config(graph_.get(), nullptr), "configure the filter chain",
            description_);
  width_ = frame.width;
  height_ = frame.height;
  format_ = frame.format;
}

}  // namespace millrace::media
