#include "media/aac_track_encoder.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace millrace::media {

namespace {

constexpr int64_t kFrame = AacEncoder::kFrameSamples;
constexpr int64_t kSpanPackets = 512;
/// What the encoder remembers of the past (its psychoacoustic model, the bits it saved) has faded
/// by then, and it decides on window shapes as the encoder of the span before does.
constexpr int64_t kBefore = 16;
/// It looks at the next frame before it decides.
constexpr int64_t kAfter = 3;
constexpr int64_t kOpenEnd = std::numeric_limits<int64_t>::max();

}  // namespace

AacTrackEncoder::AacTrackEncoder(const AudioPlan& plan, int64_t first_packet, int threads,
                                 AacEncoder::OnPacket on_packet)
    : plan_(plan),
      first_packet_(first_packet),
      threads_(static_cast<size_t>(std::max(1, threads))),
      on_packet_(std::move(on_packet)),
      held_(static_cast<size_t>(plan.channels)) {}

std::vector<uint8_t> AacTrackEncoder::config() const {
  return AacEncoder(plan_, [](int64_t, const std::vector<uint8_t>&) {}).config();
}

void AacTrackEncoder::add(const Samples& samples) {
  for (size_t channel = 0; channel < held_.size(); ++channel) {
    held_[channel].insert(held_[channel].end(), samples[channel].begin(), samples[channel].end());
  }
  for (;;) {
    const int64_t end = next_begin_ + kSpanPackets;
    if (held_from_ * kFrame + samples_held() < (end + kAfter) * kFrame) return;
    launch(end);
    forget_before(end - kBefore);
  }
}

void AacTrackEncoder::finish() {
  const int64_t total = held_from_ * kFrame + samples_held();
  if (total > next_begin_ * kFrame) launch(kOpenEnd);
  while (!under_way_.empty()) deliver();
}

void AacTrackEncoder::launch(int64_t end) {
  const int64_t begin = std::exchange(next_begin_, end);
  if (end <= first_packet_) return;
  while (under_way_.size() >= threads_) deliver();
  const int64_t count = end == kOpenEnd ? samples_held() : (end + kAfter - held_from_) * kFrame;
  Span span{std::max(begin, first_packet_), end, held_from_, {}};
  for (const auto& channel : held_) {
    span.samples.emplace_back(channel.begin(), channel.begin() + count);
  }
  under_way_.push_back(std::async(
      std::launch::async, [plan = plan_, span = std::move(span)] { return encode(plan, span); }));
}

void AacTrackEncoder::deliver() {
  std::vector<Packet> packets = under_way_.front().get();
  under_way_.pop_front();
  for (Packet& packet : packets) on_packet_(packet.index, std::move(packet.data));
}

void AacTrackEncoder::forget_before(int64_t packet) {
  const int64_t count = (packet - held_from_) * kFrame;
  for (auto& channel : held_) channel.erase(channel.begin(), channel.begin() + count);
  held_from_ = packet;
}

std::vector<AacTrackEncoder::Packet> AacTrackEncoder::encode(const AudioPlan& plan,
                                                             const Span& span) {
  std::vector<Packet> packets;
  AacEncoder encoder(plan, [&](int64_t index, std::vector<uint8_t> data) {
    const int64_t packet = span.heard_from + index;
    if (packet >= span.begin && packet < span.end) packets.push_back({packet, std::move(data)});
  });
  const auto count = static_cast<int64_t>(span.samples.front().size());
  for (int64_t at = 0; at < count; at += kFrame) {
    Samples frame;
    for (const auto& channel : span.samples) {
      const auto begin = channel.begin() + at;
      frame.emplace_back(begin, begin + std::min(kFrame, count - at));
    }
    encoder.add(frame);
  }
  encoder.finish();
  return packets;
}

}  // namespace millrace::media
