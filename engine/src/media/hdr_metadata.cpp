#include "media/hdr_metadata.h"

#include <cstring>

namespace millrace::media {

namespace {

/// A copy of `data` if it is as large as `T` at least: libav's structs grow at their ends.
template <typename T>
std::optional<T> as(const uint8_t* data, size_t size) {
  if (data == nullptr || size < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, data, sizeof(T));
  return value;
}

template <typename T>
std::optional<T> of_stream(const AVStream& stream, AVPacketSideDataType type) {
  size_t size = 0;
  const uint8_t* data = av_stream_get_side_data(&stream, type, &size);
  return as<T>(data, size);
}

template <typename T>
void add_from(const AVFrame& frame, AVFrameSideDataType type, std::optional<T>& value) {
  const AVFrameSideData* side = av_frame_get_side_data(&frame, type);
  if (!value && side != nullptr) value = as<T>(side->data, side->size);
}

}  // namespace

HdrMetadata hdr_metadata(const AVStream& stream) {
  return {of_stream<AVMasteringDisplayMetadata>(stream, AV_PKT_DATA_MASTERING_DISPLAY_METADATA),
          of_stream<AVContentLightMetadata>(stream, AV_PKT_DATA_CONTENT_LIGHT_LEVEL),
          of_stream<AVDOVIDecoderConfigurationRecord>(stream, AV_PKT_DATA_DOVI_CONF)};
}

void complete(HdrMetadata& metadata, const AVFrame& frame) {
  add_from(frame, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA, metadata.mastering);
  add_from(frame, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL, metadata.light);
}

}  // namespace millrace::media
