/// The video of a conversion: decode → times → (in a second thread) shape → encode → mux.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "jobs/convert_track.h"
#include "jobs/damage_log.h"
#include "media/bounded_queue.h"
#include "media/frame_grid.h"
#include "media/picture_encoder.h"
#include "media/picture_shaper.h"
#include "media/picture_stream.h"
#include "media/picture_times.h"
#include "media/worker_thread.h"

namespace millrace::jobs {

class ConvertVideoTrack : public ConvertTrack {
 public:
  /// `first`: a decoded picture of the range, for what only pictures tell.
  ConvertVideoTrack(const ConvertContext& context, const AVFrame& first);
  ConvertVideoTrack(const ConvertVideoTrack&) = delete;
  ConvertVideoTrack& operator=(const ConvertVideoTrack&) = delete;
  ~ConvertVideoTrack() override;

  void take(AVPacket& packet) override;
  void finish() override;
  bool done() const override;
  /// Halfway between what the encoder took and what it gave out: between lie dozens of pictures
  /// whose work is half done.
  double position_s() const override {
    constexpr auto kAny = std::memory_order_relaxed;
    return (taken_s_.load(kAny) + coded_s_.load(kAny)) / 2;
  }
  nlohmann::ordered_json result() const override;

  int64_t frames() const { return frames_.load(std::memory_order_relaxed); }

 private:
  struct Item {
    av::SharedFrame frame;
    int64_t time = 0;
    int64_t duration = 0;
  };

  void open_encoder(const AVFrame& first);
  void describe_stream();
  void make_times();
  void require_pictures() const;
  int64_t ticks(double time_s) const;
  bool take_picture(media::TimedFrame picture);
  void note_damage(int64_t timestamp);
  void push(const av::SharedFrame& frame, int64_t time, int64_t duration);
  void work();
  void note_coded(int64_t end);
  bool gives_packets() const;
  int64_t time_of(int64_t timestamp) const;

  const media::ConvertVideo& video_;
  media::VideoFacts facts_;
  AVRational time_base_;  ///< of the pictures' times, fine enough for any start of the range
  media::PictureShape shape_;
  std::unique_ptr<media::PictureEncoder> encoder_;
  AVStream* output_ = nullptr;
  media::HdrMetadata hdr_;
  bool reached_range_ = false;
  std::unique_ptr<media::PictureShaper> shaper_;
  std::optional<media::PictureTimes> times_;  ///< where the source's are kept
  std::optional<media::SlotFiller> slots_;    ///< where a rate is asked for
  DamageLog damage_;
  std::unique_ptr<media::PictureStream> pictures_;
  av::SharedFrame last_source_;
  av::SharedFrame last_shaped_;
  media::BoundedQueue<Item> queue_;
  std::atomic<int64_t> frames_{0};
  std::atomic<double> taken_s_{0};
  std::atomic<double> coded_s_{0};
  std::optional<media::WorkerThread> thread_;  // last: it uses the others
};

}  // namespace millrace::jobs
