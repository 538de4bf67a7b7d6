/// A stream of a conversion whose packets are taken over as they are.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "jobs/convert_track.h"

namespace millrace::jobs {

class ConvertCopyTrack : public ConvertTrack {
 public:
  /// Video begins at the key frame that the range begins at. Throws UNSUPPORTED_CODEC for what the
  /// container does not take.
  ConvertCopyTrack(const ConvertContext& context, int stream);

  void take(AVPacket& packet) override;
  void finish() override {}
  bool done() const override { return done_; }
  double position_s() const override { return position_s_.load(std::memory_order_relaxed); }
  nlohmann::ordered_json result() const override { return nullptr; }

  int64_t packets() const { return packets_; }

 private:
  void describe_stream();
  bool may_lead(const AVPacket& packet) const;
  bool belongs(const AVPacket& packet);
  bool video_begins(const AVPacket& packet);
  void take_video(AVPacket& packet);
  bool subtitle_belongs(AVPacket& packet) const;
  void shift(AVPacket& packet);
  void order(AVPacket& packet);
  void write(AVPacket& packet);

  AVStream* output_ = nullptr;
  int64_t zero_;
  int64_t end_;  ///< since zero, in the stream's ticks
  bool started_ = false;
  std::vector<av::Packet> kept_;  ///< shown after the end, but maybe needed before it
  bool done_ = false;
  int64_t last_dts_ = AV_NOPTS_VALUE;
  int64_t next_time_ = AV_NOPTS_VALUE;  ///< where the last packet ends
  int64_t packets_ = 0;
  std::atomic<double> position_s_{0};
};

}  // namespace millrace::jobs
