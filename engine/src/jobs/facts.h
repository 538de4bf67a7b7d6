/// Facts of a stream or a file as the probe's JSON tells them; null where the source does not.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "media/frame_timing.h"
#include "media/hdr_metadata.h"
#include "media/input.h"

namespace millrace::jobs {

nlohmann::ordered_json mastering_json(const media::HdrMetadata& metadata);
nlohmann::ordered_json light_json(const media::HdrMetadata& metadata);
nlohmann::ordered_json dolby_vision_json(const media::HdrMetadata& metadata);

/// The shortest and the longest distance of two frames.
nlohmann::ordered_json steps_json(const media::FrameSteps& steps, AVRational time_base);

/// Count, longest gap and times of the key frames; null without an index over the whole length.
nlohmann::ordered_json key_frames_json(media::Input& input, int stream);

/// "4:2:0"; null for RGB and palettes.
nlohmann::ordered_json chroma_format(AVPixelFormat format);
/// "progressive", "top_first" or "bottom_first".
nlohmann::ordered_json field_order(AVFieldOrder order);

/// The names of the dispositions that are set.
nlohmann::ordered_json dispositions_json(const AVStream& stream);
nlohmann::ordered_json bit_rate_json(const AVStream& stream);
/// First presented timestamp, in seconds.
nlohmann::ordered_json start_json(const AVStream& stream);
/// A text from the file, shortened where it is very long.
nlohmann::ordered_json tag_json(const AVDictionary* tags, const char* name);

nlohmann::ordered_json chapters_json(const AVFormatContext& format);
/// Streams of neither pictures nor sound nor subtitles: data, attachments.
nlohmann::ordered_json other_stream_json(const AVStream& stream);
/// What the duration rests on: "timestamps", "container" or "bitrate" (a guess).
const char* duration_source(const AVFormatContext& format);

}  // namespace millrace::jobs
