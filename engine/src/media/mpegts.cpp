#include "media/mpegts.h"

#include <algorithm>
#include <array>

#include "av/error.h"
#include "media/transport_packets.h"

extern "C" {
#include <libavutil/channel_layout.h>
#include <libavutil/mathematics.h>
}

namespace millrace::media {

namespace {

constexpr std::array<uint8_t, 4> kStartCode = {0, 0, 0, 1};
constexpr std::array<uint8_t, 2> kDelimiter = {0x09, 0xf0};  // any kind of slice follows
constexpr AVRational kClock{1, 90'000};

/// One muxer that writes one segment into memory.
class SegmentMuxer {
 public:
  explicit SegmentMuxer(AVCodecID codec) {
    constexpr int kBufferBytes = 1 << 16;
    av::Bytes buffer{static_cast<uint8_t*>(av_malloc(kBufferBytes))};
    av::check_ptr(buffer.get(), "allocate the write buffer");
    io_.reset(avio_alloc_context(buffer.get(), kBufferBytes, 1, this, nullptr,
                                 &SegmentMuxer::on_write, nullptr));
    av::check_ptr(io_.get(), "allocate the I/O context");
    static_cast<void>(buffer.release());  // the I/O context owns it now
    AVFormatContext* format = nullptr;
    av::check(avformat_alloc_output_context2(&format, nullptr, "mpegts", nullptr),
              "find the MPEG-TS muxer");
    format_.reset(format);
    format->pb = io_.get();
    format->flags |= AVFMT_FLAG_CUSTOM_IO;
    format->max_delay = AV_TIME_BASE * 7 / 10;  // PCR runs behind by that: the decoder's buffer
    stream_ = av::check_ptr(avformat_new_stream(format, nullptr), "add a stream");
    stream_->codecpar->codec_id = codec;
    stream_->codecpar->codec_type = avcodec_get_type(codec);
  }

  AVCodecParameters& parameters() { return *stream_->codecpar; }

  std::vector<uint8_t> write(std::span<const AccessUnit> units) {
    av::Dictionary options;
    options.set("mpegts_copyts", int64_t{1});
    options.set("pat_period", int64_t{86'400});  // once
    options.set("sdt_period", int64_t{86'400});
    av::check(avformat_write_header(format_.get(), options.out()), "begin a segment");
    for (const AccessUnit& unit : units) write(unit);
    av::check(av_write_trailer(format_.get()), "end a segment");
    avio_flush(io_.get());
    return std::move(bytes_);
  }

 private:
  static int on_write(void* self, uint8_t* bytes, int length) {
    auto& into = static_cast<SegmentMuxer*>(self)->bytes_;
    into.insert(into.end(), bytes, bytes + length);
    return length;
  }

  void write(const AccessUnit& unit) {
    const av::Packet packet = av::make_packet();
    const auto size = static_cast<int>(unit.data.size());
    av::check(av_new_packet(packet.get(), size), "allocate a packet");
    std::copy(unit.data.begin(), unit.data.end(), packet->data);
    packet->pts = av_rescale_q(unit.shown, unit.time_base, kClock) + kTransportZero;
    packet->dts = av_rescale_q(unit.decoded, unit.time_base, kClock) + kTransportZero;
    if (unit.key) packet->flags |= AV_PKT_FLAG_KEY;
    av::check(av_write_frame(format_.get(), packet.get()), "write to a segment");
  }

  std::vector<uint8_t> bytes_;
  av::Io io_;
  av::FormatOutput format_;
  AVStream* stream_ = nullptr;  // the format context's
};

TransportSegment finished(int64_t index, std::span<const uint8_t> muxed) {
  TransportSegment segment;
  segment.bytes = joinable(muxed, index);
  segment.first_unit_bytes = end_of_first_unit(segment.bytes);
  return segment;
}

void append_unit(std::vector<uint8_t>& to, std::span<const uint8_t> unit) {
  to.insert(to.end(), kStartCode.begin(), kStartCode.end());
  to.insert(to.end(), unit.begin(), unit.end());
}

}  // namespace

std::vector<uint8_t> annex_b(std::span<const uint8_t> picture, bool idr,
                             std::span<const std::vector<uint8_t>> parameter_sets) {
  constexpr size_t kLengthBytes = 4;
  std::vector<uint8_t> bytes;
  append_unit(bytes, kDelimiter);
  if (idr) {
    for (const auto& set : parameter_sets) append_unit(bytes, set);
  }
  while (picture.size() >= kLengthBytes) {
    const size_t length =
        size_t{picture[0]} << 24 | size_t{picture[1]} << 16 | size_t{picture[2]} << 8 | picture[3];
    picture = picture.subspan(kLengthBytes);
    append_unit(bytes, picture.first(std::min(length, picture.size())));
    picture = picture.subspan(std::min(length, picture.size()));
  }
  return bytes;
}

TransportSegment write_transport_segment(int64_t index, std::span<const AccessUnit> pictures) {
  return finished(index, SegmentMuxer(AV_CODEC_ID_H264).write(pictures));
}

TransportSegment write_transport_segment(int64_t index, const AudioTrack& track,
                                         std::span<const AccessUnit> frames) {
  SegmentMuxer muxer(AV_CODEC_ID_AAC);
  AVCodecParameters& parameters = muxer.parameters();
  parameters.sample_rate = static_cast<int>(track.timescale);
  av_channel_layout_default(&parameters.ch_layout, track.channels);
  // The muxer makes ADTS headers from it.
  parameters.extradata = static_cast<uint8_t*>(
      av::check_ptr(av_mallocz(track.config.size() + AV_INPUT_BUFFER_PADDING_SIZE), "configure"));
  parameters.extradata_size = static_cast<int>(track.config.size());
  std::copy(track.config.begin(), track.config.end(), parameters.extradata);
  return finished(index, muxer.write(frames));
}

}  // namespace millrace::media
