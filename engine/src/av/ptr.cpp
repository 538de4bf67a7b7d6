#include "av/ptr.h"

#include <zimg.h>

#include "av/error.h"
#include "av/svt_av1.h"

namespace millrace::av {

void CloseSvtAv1::operator()(EbComponentType* encoder) const {
  svt_av1_enc_deinit(encoder);
  svt_av1_enc_deinit_handle(encoder);
}

void ReleaseSvtAv1Packet::operator()(EbBufferHeaderType* packet) const {
  svt_av1_enc_release_out_buffer(&packet);
}

void FreeZimg::operator()(zimg_filter_graph* graph) const {
  zimg_filter_graph_free(graph);
}

Frame make_frame() {
  return Frame{check_ptr(av_frame_alloc(), "allocate a frame")};
}

Packet make_packet() {
  return Packet{check_ptr(av_packet_alloc(), "allocate a packet")};
}

Frame clone(const AVFrame& frame) {
  return Frame{check_ptr(av_frame_clone(&frame), "reference a frame")};
}

Frame make_picture(AVPixelFormat format, int width, int height) {
  constexpr int kAlignment = 64;  // zimg's widest kernels load 64 bytes
  Frame frame = make_frame();
  frame->format = format;
  frame->width = width;
  frame->height = height;
  check(av_frame_get_buffer(frame.get(), kAlignment), "allocate a picture");
  return frame;
}

SharedFrame share(Frame frame) {
  return SharedFrame{frame.release(), [](const AVFrame* owned) {
                       Frame{const_cast<AVFrame*>(owned)}.reset();  // NOLINT: last owner
                     }};
}

AVChapter& add_chapter(AVFormatContext& format, AVRational time_base, int64_t start, int64_t end) {
  auto* chapter =
      static_cast<AVChapter*>(check_ptr(av_mallocz(sizeof(AVChapter)), "add a chapter"));
  std::unique_ptr<AVChapter, FreeMemory> owner(chapter);
  int count = static_cast<int>(format.nb_chapters);
  check(av_dynarray_add_nofree(&format.chapters, &count, chapter), "add a chapter");
  static_cast<void>(owner.release());
  format.nb_chapters = static_cast<unsigned>(count);
  chapter->id = count;
  chapter->time_base = time_base;
  chapter->start = start;
  chapter->end = end;
  return *chapter;
}

void Dictionary::set(const char* key, const char* value) {
  check(av_dict_set(&dictionary_, key, value, 0), "set an option");
}

void Dictionary::set(const char* key, int64_t value) {
  check(av_dict_set_int(&dictionary_, key, value, 0), "set an option");
}

}  // namespace millrace::av
