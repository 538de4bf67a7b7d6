/// One sound of a conversion: decode → timeline → encode → mux.
#pragma once

#include <atomic>
#include <cstdint>

#include "jobs/convert_track.h"
#include "jobs/damage_log.h"
#include "media/audio_timeline.h"
#include "media/decoder.h"
#include "media/sound_encoder.h"

namespace millrace::jobs {

class ConvertSoundTrack : public ConvertTrack {
 public:
  ConvertSoundTrack(const ConvertContext& context, const media::ConvertAudio& audio);

  void take(AVPacket& packet) override;
  void finish() override;
  bool done() const override;
  double position_s() const override { return position_s_.load(std::memory_order_relaxed); }
  nlohmann::ordered_json result() const override;

 private:
  void describe_stream();
  void decode(const AVPacket* packet);
  bool take_decoded(const media::TimedFrame& decoded);
  void add(const media::Samples& samples);
  int64_t output_samples(int64_t timestamp) const;

  int channels_;
  int sample_rate_hz_;
  int64_t most_samples_;  ///< of the range
  int64_t samples_ = 0;
  DamageLog damage_;
  media::SoundEncoder encoder_;
  AVStream* output_ = nullptr;
  media::AudioTimeline timeline_;
  media::Decoder decoder_;
  std::atomic<double> position_s_{0};
};

}  // namespace millrace::jobs
