/// Owning aliases for every C object the engine holds. Nothing is freed anywhere else.
#pragma once

#include <cstdint>
#include <memory>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersrc.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

struct EbBufferHeaderType;
struct EbComponentType;
struct x264_t;
struct x265_encoder;
struct x265_param;
struct zimg_filter_graph;

namespace millrace::av {

struct FreeFrame {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct FreePacket {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FreeCodec {
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
};
struct CloseInput {
  void operator()(AVFormatContext* format) const { avformat_close_input(&format); }
};
struct FreeOutput {
  void operator()(AVFormatContext* format) const { avformat_free_context(format); }
};
struct FreeIo {
  void operator()(AVIOContext* io) const {
    av_freep(&io->buffer);
    avio_context_free(&io);
  }
};
struct CloseFile {
  void operator()(AVIOContext* file) const { avio_close(file); }
};
struct FreeGraph {
  void operator()(AVFilterGraph* graph) const { avfilter_graph_free(&graph); }
};
struct FreeFilterInOut {
  void operator()(AVFilterInOut* ends) const { avfilter_inout_free(&ends); }
};
struct FreeSwr {
  void operator()(SwrContext* swr) const { swr_free(&swr); }
};
struct FreeSws {
  void operator()(SwsContext* sws) const { sws_freeContext(sws); }
};
struct FreeMemory {
  void operator()(void* memory) const { av_free(memory); }
};
struct CloseX264 {
  void operator()(x264_t* encoder) const;
};
struct CloseX265 {
  void operator()(x265_encoder* encoder) const;
};
struct FreeX265Parameters {
  void operator()(x265_param* parameters) const;
};
struct CloseSvtAv1 {
  void operator()(EbComponentType* encoder) const;
};
struct ReleaseSvtAv1Packet {
  void operator()(EbBufferHeaderType* packet) const;
};
struct FreeZimg {
  void operator()(zimg_filter_graph* graph) const;
};

using Frame = std::unique_ptr<AVFrame, FreeFrame>;
using Packet = std::unique_ptr<AVPacket, FreePacket>;
using Codec = std::unique_ptr<AVCodecContext, FreeCodec>;
using FormatInput = std::unique_ptr<AVFormatContext, CloseInput>;
using FormatOutput = std::unique_ptr<AVFormatContext, FreeOutput>;
using Io = std::unique_ptr<AVIOContext, FreeIo>;
using FileOutput = std::unique_ptr<AVIOContext, CloseFile>;
using FilterGraph = std::unique_ptr<AVFilterGraph, FreeGraph>;
using FilterInOut = std::unique_ptr<AVFilterInOut, FreeFilterInOut>;
using Swr = std::unique_ptr<SwrContext, FreeSwr>;
using Sws = std::unique_ptr<SwsContext, FreeSws>;
using Bytes = std::unique_ptr<uint8_t, FreeMemory>;
using SourceParameters = std::unique_ptr<AVBufferSrcParameters, FreeMemory>;
using X264 = std::unique_ptr<x264_t, CloseX264>;
using X265 = std::unique_ptr<x265_encoder, CloseX265>;
using X265Parameters = std::unique_ptr<x265_param, FreeX265Parameters>;
using SvtAv1 = std::unique_ptr<EbComponentType, CloseSvtAv1>;
using SvtAv1Packet = std::unique_ptr<EbBufferHeaderType, ReleaseSvtAv1Packet>;
using Zimg = std::unique_ptr<zimg_filter_graph, FreeZimg>;
/// A picture several stages look at; nobody writes to it any more.
using SharedFrame = std::shared_ptr<const AVFrame>;

Frame make_frame();
Packet make_packet();
/// A new reference to the same picture.
Frame clone(const AVFrame& frame);
/// A picture buffer with planes aligned for SIMD scalers.
Frame make_picture(AVPixelFormat format, int width, int height);
SharedFrame share(Frame frame);

/// Adds a chapter, which the context owns; libav has no call for it.
AVChapter& add_chapter(AVFormatContext& format, AVRational time_base, int64_t start, int64_t end);

/// A decoded subtitle event, which libav fills in place.
class Subtitle {
 public:
  Subtitle() = default;
  Subtitle(const Subtitle&) = delete;
  Subtitle& operator=(const Subtitle&) = delete;
  ~Subtitle() { clear(); }

  void clear() { avsubtitle_free(&subtitle_); }
  AVSubtitle* get() { return &subtitle_; }
  const AVSubtitle* operator->() const { return &subtitle_; }

 private:
  AVSubtitle subtitle_{};
};

/// Key/value options for libav calls that take an `AVDictionary**`.
class Dictionary {
 public:
  Dictionary() = default;
  Dictionary(const Dictionary&) = delete;
  Dictionary& operator=(const Dictionary&) = delete;
  ~Dictionary() { av_dict_free(&dictionary_); }

  void set(const char* key, const char* value);
  void set(const char* key, int64_t value);
  AVDictionary** out() { return &dictionary_; }

 private:
  AVDictionary* dictionary_ = nullptr;
};

}  // namespace millrace::av
