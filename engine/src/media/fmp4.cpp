#include "media/fmp4.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "media/box_writer.h"

namespace millrace::media {

namespace {

constexpr uint32_t kTrackId = 1;
constexpr std::array<uint32_t, 9> kUnityMatrix = {0x00010000, 0, 0, 0,         0x00010000,
                                                  0,          0, 0, 0x40000000};

void write_matrix(BoxWriter& out) {
  for (const uint32_t value : kUnityMatrix) out.u32(value);
}

void write_file_type(BoxWriter& out) {
  out.box("ftyp", [&] {
    out.text("iso6");
    out.u32(0);
    for (const char* brand : {"iso6", "cmfc", "cmf2", "mp41"}) out.text(brand);
  });
}

void write_movie_header(BoxWriter& out, uint32_t timescale) {
  out.full_box("mvhd", 0, 0, [&] {
    out.zeros(8);  // creation, modification: none, so that equal plans give equal bytes
    out.u32(timescale);
    out.u32(0);  // duration: in the fragments
    out.u32(0x00010000);
    out.u16(0x0100);
    out.zeros(10);
    write_matrix(out);
    out.zeros(24);
    out.u32(kTrackId + 1);
  });
}

void write_track_header(BoxWriter& out, int width, int height, bool audio) {
  constexpr uint32_t kEnabledInMovie = 3;
  out.full_box("tkhd", 0, kEnabledInMovie, [&] {
    out.zeros(8);
    out.u32(kTrackId);
    out.zeros(4);
    out.u32(0);  // duration
    out.zeros(8);
    out.u16(0);  // layer
    out.u16(0);  // alternate group
    out.u16(audio ? 0x0100 : 0);
    out.u16(0);
    write_matrix(out);
    out.u32(static_cast<uint32_t>(width) << 16);
    out.u32(static_cast<uint32_t>(height) << 16);
  });
}

/// Decoding runs ahead of showing by `start_offset`: this maps presentation back to zero.
void write_edit_list(BoxWriter& out, int32_t start_offset) {
  if (start_offset == 0) return;
  out.box("edts", [&] {
    out.full_box("elst", 0, 0, [&] {
      out.u32(1);
      out.u32(0);  // to the end, however many fragments come
      out.i32(start_offset);
      out.u32(0x00010000);
    });
  });
}

uint32_t packed_language(const std::string& language) {
  const bool plain =
      language.size() == 3 &&
      std::all_of(language.begin(), language.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  const std::string code = plain ? language : "und";
  uint32_t packed = 0;
  for (const char c : code) packed = packed << 5 | static_cast<uint32_t>(c - 0x60);
  return packed;
}

void write_media_header(BoxWriter& out, uint32_t timescale, const std::string& language) {
  out.full_box("mdhd", 0, 0, [&] {
    out.zeros(8);
    out.u32(timescale);
    out.u32(0);
    out.u16(packed_language(language));
    out.u16(0);
  });
}

void write_handler(BoxWriter& out, const char* type, const char* name) {
  out.full_box("hdlr", 0, 0, [&] {
    out.u32(0);
    out.text(type);
    out.zeros(12);
    out.text(name);
    out.u8(0);
  });
}

void write_bit_rate(BoxWriter& out, int64_t buffer_bits, int64_t max_bps) {
  out.box("btrt", [&] {
    out.u32(static_cast<uint32_t>(buffer_bits / 8));
    out.u32(static_cast<uint32_t>(max_bps));
    out.u32(0);  // average: unknown before the encoding
  });
}

void write_color(BoxWriter& out, const ColorTags& color) {
  out.box("colr", [&] {
    out.text("nclx");
    out.u16(color.primaries);
    out.u16(color.transfer);
    out.u16(color.matrix);
    out.u8(0);  // limited range
  });
}

void write_video_entry(BoxWriter& out, const VideoTrack& track) {
  out.box(track.config.entry, [&] {
    out.zeros(6);
    out.u16(1);  // data reference
    out.zeros(16);
    out.u16(static_cast<uint32_t>(track.width));
    out.u16(static_cast<uint32_t>(track.height));
    out.u32(0x00480000);
    out.u32(0x00480000);
    out.zeros(4);
    out.u16(1);
    out.zeros(32);
    out.u16(24);
    out.u16(0xffff);
    out.box(track.config.box, [&] { out.raw(track.config.record); });
    write_color(out, track.color);
    out.box("pasp", [&] {
      out.u32(1);
      out.u32(1);
    });
    write_bit_rate(out, track.bufsize_bits, track.maxrate_bps);
  });
}

/// ISO/IEC 14496-1 descriptors; all lengths here are below 128.
void write_es_descriptor(BoxWriter& out, const AudioTrack& track) {
  const auto config_size = static_cast<uint32_t>(track.config.size());
  out.full_box("esds", 0, 0, [&] {
    out.u8(0x03);
    out.u8(3 + 2 + 13 + 2 + config_size + 3);
    out.u16(kTrackId);
    out.u8(0);
    out.u8(0x04);
    out.u8(13 + 2 + config_size);
    out.u8(0x40);  // MPEG-4 audio
    out.u8(0x15);  // audio stream
    out.u24(0);
    out.u32(static_cast<uint32_t>(track.bitrate_bps));
    out.u32(static_cast<uint32_t>(track.bitrate_bps));
    out.u8(0x05);
    out.u8(config_size);
    out.raw(track.config);
    out.u8(0x06);
    out.u8(1);
    out.u8(0x02);
  });
}

void write_audio_entry(BoxWriter& out, const AudioTrack& track) {
  out.box("mp4a", [&] {
    out.zeros(6);
    out.u16(1);
    out.zeros(8);
    out.u16(static_cast<uint32_t>(track.channels));
    out.u16(16);
    out.zeros(4);
    out.u32(track.timescale << 16);
    write_es_descriptor(out, track);
  });
}

void write_empty_tables(BoxWriter& out) {
  for (const char* table : {"stts", "stsc", "stco"}) {
    out.full_box(table, 0, 0, [&] { out.u32(0); });
  }
  out.full_box("stsz", 0, 0, [&] { out.zeros(8); });
}

void write_data_information(BoxWriter& out) {
  constexpr uint32_t kSelfContained = 1;
  out.box("dinf", [&] {
    out.full_box("dref", 0, 0, [&] {
      out.u32(1);
      out.full_box("url ", 0, kSelfContained, [] {});
    });
  });
}

void write_movie_extends(BoxWriter& out) {
  out.box("mvex", [&] {
    out.full_box("trex", 0, 0, [&] {
      out.u32(kTrackId);
      out.u32(1);
      out.zeros(12);
    });
  });
}

template <typename Header, typename Entry>
void write_media(BoxWriter& out, uint32_t timescale, const std::string& language, bool audio,
                 Header header, Entry entry) {
  out.box("mdia", [&] {
    write_media_header(out, timescale, language);
    write_handler(out, audio ? "soun" : "vide", audio ? "Sound" : "Video");
    out.box("minf", [&] {
      header();
      write_data_information(out);
      out.box("stbl", [&] {
        out.full_box("stsd", 0, 0, [&] {
          out.u32(1);
          entry();
        });
        write_empty_tables(out);
      });
    });
  });
}

uint32_t sample_flags(const Sample& sample) {
  constexpr uint32_t kDependsOnNothing = 2u << 24;
  constexpr uint32_t kDependsOnOthers = 1u << 24;
  constexpr uint32_t kIsNonSync = 1u << 16;
  constexpr uint32_t kNothingDependsOnIt = 2u << 22;
  if (sample.sync) return kDependsOnNothing;
  return kDependsOnOthers | kIsNonSync | (sample.disposable ? kNothingDependsOnIt : 0);
}

void write_track_run(BoxWriter& out, std::span<const Sample> samples, size_t& data_offset_at) {
  constexpr uint32_t kDataOffset = 0x000001;
  constexpr uint32_t kDuration = 0x000100;
  constexpr uint32_t kSize = 0x000200;
  constexpr uint32_t kFlags = 0x000400;
  constexpr uint32_t kCompositionOffset = 0x000800;
  const bool offsets = std::any_of(samples.begin(), samples.end(), [](const Sample& sample) {
    return sample.composition_offset != 0;
  });
  const uint32_t flags =
      kDataOffset | kDuration | kSize | kFlags | (offsets ? kCompositionOffset : 0);
  out.full_box("trun", 1, flags, [&] {  // version 1: signed composition offsets
    out.u32(static_cast<uint32_t>(samples.size()));
    data_offset_at = out.position();
    out.u32(0);
    for (const Sample& sample : samples) {
      out.u32(sample.duration);
      out.u32(static_cast<uint32_t>(sample.data.size()));
      out.u32(sample_flags(sample));
      if (offsets) out.i32(sample.composition_offset);
    }
  });
}

}  // namespace

std::vector<uint8_t> write_init(const VideoTrack& track) {
  BoxWriter out;
  write_file_type(out);
  out.box("moov", [&] {
    write_movie_header(out, track.timescale);
    out.box("trak", [&] {
      write_track_header(out, track.width, track.height, false);
      write_edit_list(out, track.start_offset);
      const auto header = [&] { out.full_box("vmhd", 0, 1, [&] { out.zeros(8); }); };
      const auto entry = [&] { write_video_entry(out, track); };
      write_media(out, track.timescale, "und", false, header, entry);
    });
    write_movie_extends(out);
  });
  return out.take();
}

std::vector<uint8_t> write_init(const AudioTrack& track) {
  BoxWriter out;
  write_file_type(out);
  out.box("moov", [&] {
    write_movie_header(out, track.timescale);
    out.box("trak", [&] {
      write_track_header(out, 0, 0, true);
      const auto header = [&] { out.full_box("smhd", 0, 0, [&] { out.zeros(4); }); };
      const auto entry = [&] { write_audio_entry(out, track); };
      write_media(out, track.timescale, track.language, true, header, entry);
    });
    write_movie_extends(out);
  });
  return out.take();
}

std::vector<uint8_t> write_segment(uint32_t sequence_number, int64_t decode_time,
                                   std::span<const Sample> samples) {
  constexpr uint32_t kDefaultBaseIsMoof = 0x020000;
  size_t payload = 0;
  for (const Sample& sample : samples) payload += sample.data.size();
  BoxWriter out;
  out.reserve(payload + 128 + samples.size() * 16);
  out.box("styp", [&] {
    out.text("msdh");
    out.u32(0);
    for (const char* brand : {"msdh", "msix", "cmfs"}) out.text(brand);
  });
  const size_t moof_at = out.position();
  size_t data_offset_at = 0;
  out.box("moof", [&] {
    out.full_box("mfhd", 0, 0, [&] { out.u32(sequence_number); });
    out.box("traf", [&] {
      out.full_box("tfhd", 0, kDefaultBaseIsMoof, [&] { out.u32(kTrackId); });
      out.full_box("tfdt", 1, 0, [&] { out.u64(static_cast<uint64_t>(decode_time)); });
      write_track_run(out, samples, data_offset_at);
    });
  });
  constexpr size_t kBoxHeader = 8;
  out.patch_u32(data_offset_at, static_cast<uint32_t>(out.position() - moof_at + kBoxHeader));
  out.box("mdat", [&] {
    for (const Sample& sample : samples) out.raw(sample.data);
  });
  return out.take();
}

std::string codecs_of(const AudioTrack& track) {
  const int object_type = track.config.empty() ? 2 : track.config[0] >> 3;
  return "mp4a.40." + std::to_string(object_type);
}

}  // namespace millrace::media
