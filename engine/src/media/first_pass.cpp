#include "media/first_pass.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string_view>
#include <system_error>

#include "millrace/engine.h"

namespace millrace::media {

namespace fs = std::filesystem;

namespace {

constexpr size_t kBytesPerBlock = 2;
constexpr double kTreeSteps = 256;  // of one QP in the trees

[[noreturn]] void fail(const std::string& what) {
  throw EngineError(Reason::Internal, "The encoder's statistics " + what + ".");
}

size_t blocks(int length) {
  return static_cast<size_t>((length + 15) / 16);
}

/// libx264's 16-bit values are big-endian.
void shift_value(uint8_t* value, int shift) {
  const auto old = static_cast<int16_t>(value[0] << 8 | value[1]);
  constexpr int kLeast = std::numeric_limits<int16_t>::min();
  constexpr int kMost = std::numeric_limits<int16_t>::max();
  const auto shifted = static_cast<uint16_t>(std::clamp(old + shift, kLeast, kMost));
  value[0] = static_cast<uint8_t>(shifted >> 8);
  value[1] = static_cast<uint8_t>(shifted & 0xff);
}

/// The number that follows `name` in a line of statistics.
double number_after(const std::string& line, std::string_view name) {
  const size_t at = line.find(name);
  double value = 0;
  if (at == std::string::npos) fail("have an unknown form");
  const char* begin = line.data() + at + name.size();
  if (std::from_chars(begin, line.data() + line.size(), value).ec != std::errc{}) {
    fail("have an unknown form");
  }
  return value;
}

void write_file(const fs::path& path, const char* bytes, size_t count) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes, static_cast<std::streamsize>(count));
  file.close();
  if (!file) throw EngineError(Reason::OutputFailed, "No room for the encoder's statistics.");
}

}  // namespace

PrivateFolder::PrivateFolder() {
  std::string pattern = (fs::temp_directory_path() / "millrace-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw EngineError(Reason::OutputFailed,
                      "No folder can be made in " + fs::temp_directory_path().string() + ".");
  }
  path_ = pattern;
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;  // nothing can be done about it, and nothing depends on it
  fs::remove_all(path_, ignored);
}

StatisticsReader::StatisticsReader(int width, int height)
    : tree_blocks_(blocks(width) * blocks(height)) {}

std::string StatisticsReader::path() const {
  return (folder_.path() / "pass").string();
}

void StatisticsReader::restart() {
  taken_ = 0;
  text_at_ = 0;
  trees_at_ = 0;
  options_.clear();
}

PictureStatistics StatisticsReader::parse(const std::string& line) const {
  PictureStatistics picture;
  picture.display = static_cast<int64_t>(number_after(line, "in:")) - taken_;
  picture.coded = static_cast<int64_t>(number_after(line, " out:")) - taken_;
  picture.qp = number_after(line, " q:");
  picture.texture_bits = number_after(line, " tex:");
  picture.motion_bits = number_after(line, " mv:");
  picture.other_bits = number_after(line, " misc:");
  constexpr std::string_view kType = " type:";
  const size_t rest = line.find(kType);
  if (rest == std::string::npos || rest + kType.size() >= line.size()) fail("have an unknown form");
  picture.type = line[rest + kType.size()];
  picture.rest = line.substr(rest);
  return picture;
}

SegmentStatistics StatisticsReader::take(int64_t count) {
  std::fflush(nullptr);  // libx264 buffers what it writes and keeps the stream to itself
  std::ifstream text(path() + ".temp", std::ios::binary);
  text.seekg(text_at_);
  if (options_.empty()) std::getline(text, options_);
  SegmentStatistics segment;
  segment.options = options_;
  segment.tree_blocks = tree_blocks_;
  std::string line;
  while (static_cast<int64_t>(segment.pictures.size()) < count && std::getline(text, line)) {
    segment.pictures.push_back(parse(line));
  }
  if (static_cast<int64_t>(segment.pictures.size()) < count) fail("are incomplete");
  text_at_ = text.tellg();
  read_trees(segment);
  taken_ += count;
  return segment;
}

void StatisticsReader::read_trees(SegmentStatistics& segment) {
  const auto references = static_cast<size_t>(
      std::count_if(segment.pictures.begin(), segment.pictures.end(),
                    [](const PictureStatistics& picture) { return picture.is_reference(); }));
  segment.trees.resize(references * (1 + tree_blocks_ * kBytesPerBlock));
  std::ifstream trees(path() + ".mbtree.temp", std::ios::binary);
  trees.seekg(trees_at_);
  const auto wanted = static_cast<std::streamsize>(segment.trees.size());
  trees.read(reinterpret_cast<char*>(segment.trees.data()), wanted);
  if (trees.gcount() != wanted) fail("lack macroblock trees");
  trees_at_ += wanted;
}

GuideFiles::GuideFiles(const SegmentStatistics& segment, double qp_shift) {
  std::string text = segment.options + "\n";
  for (const PictureStatistics& picture : segment.pictures) {
    std::array<char, 64> head{};
    std::snprintf(head.data(), head.size(), "in:%lld out:%lld",
                  static_cast<long long>(picture.display), static_cast<long long>(picture.coded));
    text += head.data() + picture.rest + "\n";
  }
  write_file(path(), text.data(), text.size());
  std::vector<uint8_t> trees = segment.trees;
  const int shift = static_cast<int>(std::lround(qp_shift * kTreeSteps));
  const size_t record = 1 + segment.tree_blocks * kBytesPerBlock;
  for (size_t at = 0; at < trees.size(); at += record) {
    for (size_t block = 0; block < segment.tree_blocks; ++block) {
      shift_value(&trees[at + 1 + block * kBytesPerBlock], shift);
    }
  }
  write_file(path() + ".mbtree", reinterpret_cast<const char*>(trees.data()), trees.size());
}

std::string GuideFiles::path() const {
  return (folder_.path() / "guide").string();
}

}  // namespace millrace::media
