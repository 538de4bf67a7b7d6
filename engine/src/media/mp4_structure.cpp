#include "media/mp4_structure.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace millrace::media {

namespace {

constexpr int64_t kHeaderBytes = 8;
constexpr int64_t kLargeHeaderBytes = 16;
constexpr int kMaxTopLevelBoxes = 4096;
constexpr int kMaxBoxesInMovie = 100'000;
constexpr int64_t kMaxReferenceBytes = 64 << 10;

struct Box {
  std::string type;
  int64_t payload = 0;
  int64_t end = 0;
};

uint64_t big_endian(const uint8_t* bytes, int count) {
  uint64_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

/// The box at `offset`, its end as declared (perhaps past the file's end); nothing if damaged.
std::optional<Box> read_box(ByteSource& source, int64_t offset, int64_t parent_end) {
  const auto header = source.read_block(offset, static_cast<size_t>(kLargeHeaderBytes));
  if (header.size() < static_cast<size_t>(kHeaderBytes)) return std::nullopt;
  auto size = static_cast<int64_t>(big_endian(header.data(), 4));
  Box box;
  box.type.assign(header.begin() + 4, header.begin() + 8);
  box.payload = offset + kHeaderBytes;
  if (size == 0) size = parent_end - offset;
  if (size == 1) {
    if (header.size() < static_cast<size_t>(kLargeHeaderBytes)) return std::nullopt;
    const uint64_t large = big_endian(header.data() + 8, 8);
    if (large > static_cast<uint64_t>(INT64_MAX / 4)) return std::nullopt;
    size = static_cast<int64_t>(large);
    box.payload = offset + kLargeHeaderBytes;
  }
  if (size < box.payload - offset) return std::nullopt;
  box.end = offset + size;
  return box;
}

[[noreturn]] void refuse_reference(const char* what) {
  throw EngineError(Reason::ExternalReference,
                    std::string{"This movie's "} + what +
                        " lies in another file that it points to. Nothing else was opened; export "
                        "the movie as a self-contained file and upload that.");
}

/// 14496-12, 8.7.2: an entry whose flag 1 is clear names a file outside.
void check_data_references(ByteSource& source, const Box& box) {
  const int64_t length = std::min(box.end - box.payload, kMaxReferenceBytes);
  const auto bytes =
      source.read_block(box.payload, static_cast<size_t>(std::max<int64_t>(length, 0)));
  size_t at = 8;
  while (at + 12 <= bytes.size()) {
    const uint64_t size = big_endian(&bytes[at], 4);
    const bool self_contained = (bytes[at + 11] & 1) != 0;
    const std::string_view type{reinterpret_cast<const char*>(&bytes[at + 4]), 4};
    const bool can_point_outside =
        type == "url " || type == "urn " || type == "alis" || type == "rsrc" || type == "cios";
    // A bare 12-byte entry names nothing, whatever its flag says.
    if (can_point_outside && !self_contained && size > 13) refuse_reference("media data");
    if (size < 12) return;
    at += size;
  }
}

bool is_parent(std::string_view type) {
  constexpr std::array<std::string_view, 5> kParents = {"trak", "mdia", "minf", "dinf", "moov"};
  return std::find(kParents.begin(), kParents.end(), type) != kParents.end();
}

void inspect_movie(ByteSource& source, const Box& parent, int& budget) {
  int64_t offset = parent.payload;
  while (offset + kHeaderBytes <= parent.end && --budget > 0) {
    const auto box = read_box(source, offset, parent.end);
    if (!box || box->end > parent.end) return;
    if (box->type == "rmra") refuse_reference("content");
    if (box->type == "dref") check_data_references(source, *box);
    if (is_parent(box->type)) inspect_movie(source, *box, budget);
    offset = box->end;
  }
}

[[noreturn]] void refuse_without_index(bool media_cut) {
  throw EngineError(Reason::Corrupt,
                    media_cut ? "The file is truncated: it ends early and its index (moov) is "
                                "missing. Upload it again."
                              : "The file's index (moov) is missing: the recording or the upload "
                                "was not finished, so it is truncated. Upload it again.");
}

}  // namespace

Mp4Structure inspect_mp4(ByteSource& source) {
  Mp4Structure found;
  int64_t offset = 0;
  for (int count = 0; count < kMaxTopLevelBoxes && offset + kHeaderBytes <= source.size();
       ++count) {
    const auto box = read_box(source, offset, source.size());
    if (!box) break;
    const bool cut = box->end > source.size();
    if (box->type == "moov" && !cut) {
      found.has_movie = true;
      int budget = kMaxBoxesInMovie;
      inspect_movie(source, *box, budget);
    }
    if (cut) found.media_cut = true;
    if (box->type == "moof") {
      found.fragmented = true;
      break;  // fragments may be many; libav walks them
    }
    offset = box->end;
  }
  if (!found.has_movie) refuse_without_index(found.media_cut);
  return found;
}

}  // namespace millrace::media
