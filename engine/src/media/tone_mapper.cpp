#include "media/tone_mapper.h"

#include <algorithm>
#include <cmath>

#include "media/tone_map.h"

namespace millrace::media {

namespace {

constexpr uint32_t kLumaNodes = 65;
constexpr uint32_t kChromaNodes = 65;
constexpr int kLumaBits = 10;    ///< of a 16-bit sample, below a node's index
constexpr int kChromaBits = 10;  ///< likewise
/// Chroma fractions are used with 7 bits, so that the weights of four columns fit 14.
constexpr int kWeightBits = 7;
constexpr size_t kRedStride = kLumaNodes;
constexpr size_t kBlueStride = kRedStride * kChromaNodes;

/// A 16-bit limited-range sample as luma 0…1 or chroma -0.5…0.5.
double luma_at(uint32_t node) {
  return (static_cast<double>(node << kLumaBits) / 256 - 16) / 219;
}
double chroma_at(uint32_t node) {
  return (static_cast<double>(node << kChromaBits) / 256 - 128) / 224;
}

uint16_t coded(double value, double offset, double scale) {
  constexpr double kLargest = 65'280;  // 255 and no fraction
  return static_cast<uint16_t>(
      std::lround(std::clamp((offset + scale * value) * 256, 0.0, kLargest)));
}

/// An 8 × 8 ordered dither: 64 thresholds, evenly spaced over one 8-bit step.
uint32_t threshold(int x, int y) {
  uint32_t value = 0;
  for (int bit = 0; bit < 3; ++bit) {
    const uint32_t column = static_cast<uint32_t>(x >> bit) & 1;
    const uint32_t line = static_cast<uint32_t>(y >> bit) & 1;
    value = value << 2 | (column ^ line) << 1 | line;
  }
  return value * 4 + 2;
}

std::array<uint32_t, 8> thresholds(int row) {
  std::array<uint32_t, 8> values{};
  for (int x = 0; x < 8; ++x) values[static_cast<size_t>(x)] = threshold(x, row);
  return values;
}

template <typename Sample>
auto* row_of(const AVFrame& frame, int plane, int row) {
  return reinterpret_cast<Sample*>(frame.data[plane] +
                                   static_cast<std::ptrdiff_t>(row) * frame.linesize[plane]);
}

/// Two rows that share their chroma.
class RowPair {
 public:
  RowPair(const AVFrame& frame, int plane, int chroma_row)
      : upper_(row_of<const uint16_t>(frame, plane, 2 * chroma_row)),
        lower_(row_of<const uint16_t>(frame, plane, 2 * chroma_row + 1)) {}
  uint32_t mean(int x) const { return (upper_[x] + lower_[x] + 1U) / 2; }

 private:
  const uint16_t* upper_;
  const uint16_t* lower_;
};

}  // namespace

/// A cell of the table and where inside it a colour lies.
struct ToneMapper::Place {
  size_t cell;
  uint32_t luma;                    ///< fraction, `kLumaBits`
  std::array<uint32_t, 4> weights;  ///< of the four columns of constant chroma
  template <typename Table, typename Component>
  uint32_t blend(const Table& table, Component component) const {
    constexpr std::array<size_t, 4> kColumns = {0, kRedStride, kBlueStride,
                                                kBlueStride + kRedStride};
    uint32_t below = 0;
    uint32_t above = 0;
    for (size_t n = 0; n < 4; ++n) {
      below += weights[n] * component(table[cell + kColumns[n]]);
      above += weights[n] * component(table[cell + kColumns[n] + 1]);
    }
    constexpr int kSum = 2 * kWeightBits;
    const uint32_t low = (below + (1U << (kSum - 1))) >> kSum;
    const uint32_t high = (above + (1U << (kSum - 1))) >> kSum;
    return (low * ((1U << kLumaBits) - luma) + high * luma) >> kLumaBits;
  }
};

ToneMapper::ToneMapper(const VideoFacts& facts) {
  const ToneMap map(facts);
  luma_.reserve(kBlueStride * kChromaNodes);
  chroma_.reserve(kBlueStride * kChromaNodes);
  for (uint32_t blue = 0; blue < kChromaNodes; ++blue) {
    for (uint32_t red = 0; red < kChromaNodes; ++red) {
      for (uint32_t luma = 0; luma < kLumaNodes; ++luma) {
        const Rgb mapped = map({luma_at(luma), chroma_at(blue), chroma_at(red)});
        luma_.push_back(coded(mapped[0], 16, 219));
        chroma_.push_back({coded(mapped[1], 128, 224), coded(mapped[2], 128, 224)});
      }
    }
  }
}

ToneMapper::Place ToneMapper::place_of(uint32_t luma, uint32_t blue, uint32_t red) {
  constexpr uint32_t kOne = 1U << kWeightBits;
  constexpr int kUnused = kChromaBits - kWeightBits;
  const uint32_t u = (blue & ((1U << kChromaBits) - 1)) >> kUnused;
  const uint32_t v = (red & ((1U << kChromaBits) - 1)) >> kUnused;
  return {
      (blue >> kChromaBits) * kBlueStride + (red >> kChromaBits) * kRedStride + (luma >> kLumaBits),
      luma & ((1U << kLumaBits) - 1),
      {(kOne - u) * (kOne - v), (kOne - u) * v, u * (kOne - v), u * v}};
}

void ToneMapper::map_luma(const AVFrame& picture, AVFrame& result, int row) const {
  const auto* luma = row_of<const uint16_t>(picture, 0, row);
  const auto* blue = row_of<const uint16_t>(picture, 1, row);
  const auto* red = row_of<const uint16_t>(picture, 2, row);
  auto* out = row_of<uint8_t>(result, 0, row);
  const auto dither = thresholds(row);
  for (int x = 0; x < picture.width; ++x) {
    const uint32_t value =
        place_of(luma[x], blue[x], red[x]).blend(luma_, [](uint32_t y) { return y; });
    out[x] = static_cast<uint8_t>((value + dither[static_cast<size_t>(x & 7)]) >> 8);
  }
}

/// Chroma sits on the left luma sample, between two rows: that is where the luma is taken, too.
void ToneMapper::map_chroma(const AVFrame& picture, AVFrame& result, int row) const {
  const RowPair luma(picture, 0, row);
  const RowPair blue(picture, 1, row);
  const RowPair red(picture, 2, row);
  auto* blue_out = row_of<uint8_t>(result, 1, row);
  auto* red_out = row_of<uint8_t>(result, 2, row);
  const auto dither = thresholds(row);
  for (int x = 0; x < picture.width / 2; ++x) {
    const int at = 2 * x;
    const uint32_t sides = luma.mean(std::max(at - 1, 0)) + luma.mean(at + 1);
    const Place place = place_of((2 * luma.mean(at) + sides) / 4, blue.mean(at), red.mean(at));
    const uint32_t step = dither[static_cast<size_t>(x & 7)];
    const auto mapped = [&place, step, this](size_t component) {
      const auto pick = [component](const auto& pair) -> uint32_t { return pair[component]; };
      return static_cast<uint8_t>((place.blend(chroma_, pick) + step) >> 8);
    };
    blue_out[x] = mapped(0);
    red_out[x] = mapped(1);
  }
}

av::Frame ToneMapper::apply(const AVFrame& picture) const {
  av::Frame result = av::make_picture(AV_PIX_FMT_YUV420P, picture.width, picture.height);
  result->pts = picture.pts;
  result->sample_aspect_ratio = {1, 1};
  result->color_range = AVCOL_RANGE_MPEG;
  result->chroma_location = AVCHROMA_LOC_LEFT;
  for (int row = 0; row < picture.height; ++row) map_luma(picture, *result, row);
  for (int row = 0; row < picture.height / 2; ++row) map_chroma(picture, *result, row);
  return result;
}

}  // namespace millrace::media
