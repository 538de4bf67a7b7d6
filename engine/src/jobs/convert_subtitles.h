/// One text subtitle track of a conversion in another format: decode → encode → mux.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "jobs/convert_track.h"
#include "jobs/damage_log.h"

namespace millrace::jobs {

class ConvertSubtitleTrack : public ConvertTrack {
 public:
  /// Throws UNSUPPORTED_CODEC for pictures and unknown formats.
  ConvertSubtitleTrack(const ConvertContext& context, const media::ConvertSubtitles& subtitles);

  void take(AVPacket& packet) override;
  void finish() override;
  bool done() const override { return done_; }
  double position_s() const override { return position_s_.load(std::memory_order_relaxed); }
  nlohmann::ordered_json result() const override;

 private:
  struct Cue {
    int64_t start_ms = 0;
    int64_t end_ms = 0;  ///< as `start_ms` where the source does not say
    std::vector<uint8_t> text;
  };

  void open(AVCodecID id);
  void hold(Cue cue);
  void release(int64_t until_ms);

  av::Codec decoder_;
  av::Codec encoder_;
  AVStream* output_ = nullptr;
  DamageLog damage_;
  std::optional<Cue> held_;  ///< until it is known when the next one begins
  int64_t last_start_ms_ = 0;
  int64_t cues_ = 0;
  bool done_ = false;
  std::atomic<double> position_s_{0};
};

}  // namespace millrace::jobs
