/// A libavfilter chain with one picture input and one output.
#pragma once

#include <functional>
#include <string>

#include "av/ptr.h"

namespace millrace::media {

/// Rebuilds itself when the pictures' geometry or format changes.
class FilterChain {
 public:
  using OnFrame = std::function<void(av::Frame)>;

  /// `description` as libavfilter's graph syntax for one chain, e.g. "transpose=clock".
  FilterChain(std::string description, AVRational time_base);

  /// Feeds a frame; its `pts` (in the time base) passes through.
  void push(const AVFrame& frame, const OnFrame& on_frame);
  /// Ends the stream: what temporal filters held back comes out.
  void finish(const OnFrame& on_frame);

 private:
  void build(const AVFrame& frame);
  void drain(const OnFrame& on_frame);
  bool fits(const AVFrame& frame) const;

  std::string description_;
  AVRational time_base_;
  av::FilterGraph graph_;
  AVFilterContext* source_ = nullptr;  ///< owned by the graph
  AVFilterContext* sink_ = nullptr;    ///< owned by the graph
  int width_ = 0;
  int height_ = 0;
  int format_ = AV_PIX_FMT_NONE;
};

}  // namespace millrace::media
