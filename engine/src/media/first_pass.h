/// What an encoder of the smallest rendition found out, for the encoders of the larger ones.
///
/// libx264 can note of every picture its type, bits and weights, and for every block of a reference
/// picture how much later pictures depend on it (the "macroblock tree"). A second encoder that is
/// given these notes needs no lookahead of its own; libx264 rescales the tree between sizes.
/// libx264 reads and writes them as files only, hence the private folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace millrace::media {

/// One line of libx264's statistics.
struct PictureStatistics {
  int64_t display = 0;  ///< position in display order, from the segment's first picture
  int64_t coded = 0;    ///< position in coded order
  char type = 'P';      ///< I (IDR), i, P, B (referred to), b
  double qp = 0;        ///< mean of what rate control chose, before adaptive quantisation
  double texture_bits = 0;
  double motion_bits = 0;
  double other_bits = 0;
  std::string rest;  ///< of the line, from its type on

  bool is_intra() const { return type == 'I' || type == 'i'; }
  bool is_reference() const { return type != 'b'; }
};

/// The notes on one segment.
struct SegmentStatistics {
  std::string options;                      ///< the first line, which names the encoder's settings
  std::vector<PictureStatistics> pictures;  ///< in coded order
  std::vector<uint8_t> trees;  ///< per reference picture: a type, then a 16-bit value per block
  size_t tree_blocks = 0;      ///< values per picture
};

/// A folder that only this process can enter, removed with everything in it.
class PrivateFolder {
 public:
  PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  ~PrivateFolder();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Reads the notes of an encoder that is still at work, segment by segment.
class StatisticsReader {
 public:
  /// `width` × `height` are those of the pictures that are encoded.
  StatisticsReader(int width, int height);

  /// Where the encoder is to write: `x264_param_t::rc.psz_stat_out`.
  std::string path() const;
  /// A new encoder begins to write there.
  void restart();
  /// The notes on the next `count` pictures, which the encoder has already put out.
  SegmentStatistics take(int64_t count);

 private:
  PictureStatistics parse(const std::string& line) const;
  void read_trees(SegmentStatistics& segment);

  PrivateFolder folder_;
  size_t tree_blocks_;
  std::string options_;
  int64_t taken_ = 0;
  std::streamoff text_at_ = 0;
  std::streamoff trees_at_ = 0;
};

/// The notes as files for one encoder, its trees shifted by `qp_shift` (a fraction of a step: QPs
/// that are set from outside are whole numbers).
class GuideFiles {
 public:
  GuideFiles(const SegmentStatistics& segment, double qp_shift);

  /// `x264_param_t::rc.psz_stat_in`. Needed until the encoder is open.
  std::string path() const;

 private:
  PrivateFolder folder_;
};

}  // namespace millrace::media
