#include "media/output_folder.h"

#include <unistd.h>

#include <array>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <system_error>

#include "millrace/engine.h"

namespace millrace::media {

namespace fs = std::filesystem;

void OutputFolder::account(size_t bytes) const {
  const auto length = static_cast<int64_t>(bytes);
  if (const int64_t total = bytes_.fetch_add(length) + length;
      max_bytes_ > 0 && total > max_bytes_) {
    throw EngineError(Reason::LimitExceeded, "The output would be larger than the " +
                                                 std::to_string(max_bytes_) +
                                                 " bytes that are allowed.");
  }
}

void OutputFolder::write(const std::string& relative_path, std::span<const uint8_t> bytes) const {
  account(bytes.size());
  const fs::path target = root_ / relative_path;
  // Dot-file in the same folder: rename is atomic there, and no glob for outputs sees it.
  fs::path temporary = target.parent_path();
  temporary /= "." + target.filename().string() + "." + std::to_string(::getpid()) + ".part";
  std::error_code error;
  fs::create_directories(target.parent_path(), error);
  bool written = false;
  if (!error) {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    file.close();
    written = file.good();
    if (written) fs::rename(temporary, target, error);
  }
  if (error || !written) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw EngineError(Reason::OutputFailed, "The output " + relative_path + " cannot be written" +
                                                (error ? ": " + error.message() : "") + ".");
  }
}

void OutputFolder::write(const std::string& relative_path, const std::string& text) const {
  write(relative_path, std::span{reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

const char* segment_extension(SegmentFormat format) {
  return format == SegmentFormat::MpegTs ? ".ts" : ".m4s";
}

std::string segment_path(const std::string& track, int64_t index, const char* extension) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "%05" PRId64, index);
  return track + "/" + name.data() + extension;
}

}  // namespace millrace::media
