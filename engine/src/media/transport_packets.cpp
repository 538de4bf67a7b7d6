#include "media/transport_packets.h"

#include <algorithm>

namespace millrace::media {

namespace {

// ISO/IEC 13818-1, 2.4.3.
constexpr size_t kHeaderBytes = 4;
constexpr int kPatPid = 0;
constexpr int kServiceDescriptionPid = 0x11;
constexpr int kFirstTrackPid = 0x100;
constexpr int kLastTrackPid = 0x1ff;
constexpr uint8_t kUnitStart = 0x40;
constexpr uint8_t kAdaptation = 0x20;
constexpr uint8_t kPayload = 0x10;
constexpr size_t kCounterPeriod = 16;
constexpr uint8_t kStuffing = 0xff;

using Bytes = std::vector<uint8_t>;

int pid_of(std::span<const uint8_t> packet) {
  return (packet[1] & 0x1f) << 8 | packet[2];
}

bool is_track(std::span<const uint8_t> packet) {
  return pid_of(packet) >= kFirstTrackPid && pid_of(packet) <= kLastTrackPid;
}

/// The muxer gives the one program's map a PID beyond the track's.
bool is_table(std::span<const uint8_t> packet) {
  return pid_of(packet) == kPatPid || pid_of(packet) > kLastTrackPid;
}

/// The adaptation field without its length; empty if there is none.
std::span<const uint8_t> adaptation_of(std::span<const uint8_t> packet) {
  if ((packet[3] & kAdaptation) == 0) return {};
  return packet.subspan(kHeaderBytes + 1, packet[kHeaderBytes]);
}

std::span<const uint8_t> payload_of(std::span<const uint8_t> packet) {
  if ((packet[3] & kPayload) == 0) return {};
  const size_t field = (packet[3] & kAdaptation) == 0 ? 0 : size_t{1} + packet[kHeaderBytes];
  return packet.subspan(kHeaderBytes + field);
}

/// A packet with this payload, the rest of it filled up by its adaptation field.
Bytes packet_of(std::span<const uint8_t> header, std::span<const uint8_t> adaptation,
                std::span<const uint8_t> payload) {
  Bytes packet(header.begin(), header.begin() + kHeaderBytes);
  const size_t field = kTransportPacketBytes - kHeaderBytes - payload.size();
  packet[3] = static_cast<uint8_t>(packet[3] & ~kAdaptation);
  if (field > 0) {
    packet[3] |= kAdaptation;
    packet.push_back(static_cast<uint8_t>(field - 1));
    packet.insert(packet.end(), adaptation.begin(), adaptation.end());
    if (field > 1 && adaptation.empty()) packet.push_back(0);  // no flags
    packet.resize(kHeaderBytes + field, kStuffing);
  }
  packet.insert(packet.end(), payload.begin(), payload.end());
  return packet;
}

/// The payload of a packet in `count` packets more than the one.
std::vector<Bytes> split(std::span<const uint8_t> packet, size_t count) {
  const auto payload = payload_of(packet);
  const size_t head = payload.size() - count;
  std::vector<Bytes> parts = {packet_of(packet, adaptation_of(packet), payload.first(head))};
  Bytes header(packet.begin(), packet.begin() + kHeaderBytes);
  header[1] = static_cast<uint8_t>(header[1] & ~kUnitStart);
  for (size_t n = head; n < payload.size(); ++n) {
    parts.push_back(packet_of(header, {}, payload.subspan(n, 1)));
  }
  return parts;
}

std::vector<Bytes> packets_of(std::span<const uint8_t> bytes) {
  std::vector<Bytes> packets;
  for (size_t at = 0; at + kTransportPacketBytes <= bytes.size(); at += kTransportPacketBytes) {
    const auto packet = bytes.subspan(at, kTransportPacketBytes);
    if (pid_of(packet) != kServiceDescriptionPid)
      packets.emplace_back(packet.begin(), packet.end());
  }
  return packets;
}

void complete_period(std::vector<Bytes>& packets) {
  const auto count = static_cast<size_t>(std::count_if(
      packets.begin(), packets.end(), [](const Bytes& packet) { return is_track(packet); }));
  const size_t missing = (kCounterPeriod - count % kCounterPeriod) % kCounterPeriod;
  // From the end; the head of a PES packet stays in one piece.
  constexpr size_t kLongestPesHeader = 32;
  const auto last = std::find_if(packets.rbegin(), packets.rend(), [&](const Bytes& packet) {
    return is_track(packet) && payload_of(packet).size() > missing + kLongestPesHeader;
  });
  if (missing == 0 || last == packets.rend()) return;
  const auto at = last.base() - 1;
  const std::vector<Bytes> parts = split(*at, missing);
  packets.insert(packets.erase(at), parts.begin(), parts.end());
}

void set_counter(Bytes& packet, size_t counter) {
  packet[3] = static_cast<uint8_t>((packet[3] & 0xf0) | (counter % kCounterPeriod));
}

}  // namespace

std::vector<uint8_t> joinable(std::span<const uint8_t> packets, int64_t segment_index) {
  std::vector<Bytes> list = packets_of(packets);
  complete_period(list);
  Bytes joined;
  joined.reserve(list.size() * kTransportPacketBytes);
  size_t counter = 0;
  for (Bytes& packet : list) {
    set_counter(packet, is_table(packet) ? static_cast<size_t>(segment_index) : counter++);
    joined.insert(joined.end(), packet.begin(), packet.end());
  }
  return joined;
}

int64_t end_of_first_unit(std::span<const uint8_t> packets) {
  int units = 0;
  for (size_t at = 0; at + kTransportPacketBytes <= packets.size(); at += kTransportPacketBytes) {
    const auto packet = packets.subspan(at, kTransportPacketBytes);
    if (!is_track(packet) || (packet[1] & kUnitStart) == 0) continue;
    if (++units == 2) return static_cast<int64_t>(at);
  }
  return static_cast<int64_t>(packets.size());
}

}  // namespace millrace::media
