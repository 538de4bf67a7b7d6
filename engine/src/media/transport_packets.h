/// Joins the transport packets of a segment to those of its neighbours, whoever made them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace millrace::media {

constexpr size_t kTransportPacketBytes = 188;

/// Leaves out what only names the service, gives the tables the segment's number as continuity
/// counter (they come once a segment), and splits the last packets of the track until their number
/// is a multiple of 16, so that its counter goes on in the next segment.
std::vector<uint8_t> joinable(std::span<const uint8_t> packets, int64_t segment_index);

/// Offset of the packet that begins the second access unit; the size if there is only one.
int64_t end_of_first_unit(std::span<const uint8_t> packets);

}  // namespace millrace::media
