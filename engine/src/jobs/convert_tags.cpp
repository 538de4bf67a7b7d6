#include "jobs/convert_tags.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string_view>

#include "av/error.h"

extern "C" {
#include <libavutil/avstring.h>
#include <libavutil/mathematics.h>
}

namespace millrace::jobs {

namespace {

constexpr AVRational kChapterTick{1, 1000};

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

/// True only of the source's own file: brands, sizes, how it was made and is turned.
bool describes_container(std::string_view key) {
  constexpr std::array<const char*, 10> kNames = {
      "major_brand", "minor_version", "compatible_brands", "encoder",         "duration",
      "rotate",      "bps",           "number_of_frames",  "number_of_bytes", "vendor_id"};
  for (const char* name : kNames) {
    // Matroska's statistics may have a language behind: "BPS-eng".
    const size_t length = std::strlen(name);
    if (av_strncasecmp(key.data(), name, length) == 0 &&
        (key.size() == length || key[length] == '-')) {
      return true;
    }
  }
  return starts_with(key, "_STATISTICS_");
}

void copy_tags(const AVDictionary* from, AVDictionary** to) {
  const AVDictionaryEntry* tag = nullptr;
  while ((tag = av_dict_get(from, "", tag, AV_DICT_IGNORE_SUFFIX)) != nullptr) {
    if (describes_container(tag->key)) continue;
    av::check(av_dict_set(to, tag->key, tag->value, AV_DICT_DONT_OVERWRITE), "copy a tag");
  }
}

}  // namespace

void copy_file_tags(const ConvertContext& context) {
  if (context.job.metadata) {
    copy_tags(context.input.format().metadata, &context.muxer.format().metadata);
  }
}

void copy_stream_tags(const ConvertContext& context, const AVStream& from, AVStream& to) {
  to.disposition = from.disposition;
  // A language is needed to choose a track, whatever else is left out.
  if (context.job.metadata) return copy_tags(from.metadata, &to.metadata);
  const AVDictionaryEntry* language = av_dict_get(from.metadata, "language", nullptr, 0);
  if (language == nullptr) return;
  av::check(av_dict_set(&to.metadata, "language", language->value, 0), "copy a language");
}

void copy_chapters(const ConvertContext& context) {
  if (!context.job.chapters) return;
  const AVFormatContext& from = context.input.format();
  const int64_t zero = context.range.zero(context.input, kChapterTick);
  const auto length_s = context.range.length_s();
  const int64_t end = length_s ? std::llround(*length_s * 1000) : INT64_MAX;
  for (unsigned n = 0; n < from.nb_chapters; ++n) {
    const AVChapter& chapter = *from.chapters[n];
    if (chapter.start == AV_NOPTS_VALUE || chapter.end == AV_NOPTS_VALUE) continue;
    const int64_t first = av_rescale_q(chapter.start, chapter.time_base, kChapterTick);
    const int64_t last = av_rescale_q(chapter.end, chapter.time_base, kChapterTick);
    if (first == INT64_MIN || last == INT64_MIN) continue;  // beyond all times
    const int64_t from_ms = std::max<int64_t>(0, first - zero);
    const int64_t to_ms = std::min(end, last - zero);
    if (to_ms <= from_ms) continue;
    AVChapter& made = av::add_chapter(context.muxer.format(), kChapterTick, from_ms, to_ms);
    copy_tags(chapter.metadata, &made.metadata);
  }
}

}  // namespace millrace::jobs
