#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <map>

#include "media/frame_budget.h"
#include "media/guided_rate_control.h"
#include "media/x264_encoder.h"

using namespace millrace::media;  // NOLINT(google-build-using-namespace)

namespace {

constexpr int kSegmentPictures = 40;
constexpr double kPictureS = 0.04;

/// Pictures of one size at quantiser 28, an intra one ten times as large at the beginning.
SegmentStatistics even_segment(double bits, int pictures = kSegmentPictures) {
  SegmentStatistics segment;
  for (int n = 0; n < pictures; ++n) {
    PictureStatistics picture;
    picture.display = picture.coded = n;
    picture.type = n == 0 ? 'I' : 'P';
    picture.qp = 28;
    picture.texture_bits = n == 0 ? 10 * bits : bits;
    segment.pictures.push_back(picture);
  }
  return segment;
}

/// What an encoder would make of the segment: pictures `factor` times as large as predicted at
/// first, at whatever quantiser the rate control says. Returns the bits of each picture.
std::vector<double> encode(GuidedRateControl& control, const SegmentStatistics& segment,
                           double factor) {
  constexpr size_t kDelay = 4;
  control.begin_segment(segment);
  std::vector<double> sizes;
  const auto report = [&](size_t n) { control.report(static_cast<int64_t>(n), sizes[n]); };
  for (size_t n = 0; n < segment.pictures.size(); ++n) {
    const double qp = control.next_qp() + control.qp_fraction();
    sizes.push_back(factor * segment.pictures[n].texture_bits * std::exp2((28 - qp) / 6));
    if (n >= kDelay) report(n - kDelay);
  }
  const size_t reported = segment.pictures.size() - std::min(kDelay, segment.pictures.size());
  for (size_t n = reported; n < segment.pictures.size(); ++n) report(n);
  return sizes;
}

double sum(const std::vector<double>& values) {
  double total = 0;
  for (const double value : values) total += value;
  return total;
}

GuidedRateControl::Options capped(double crf, int64_t maxrate_bps) {
  RateControl rate;
  rate.crf = crf;
  rate.maxrate_bps = maxrate_bps;
  rate.bufsize_bits = maxrate_bps * 3 / 2;
  return {rate, kPictureS, 1};
}

/// The emptiest a decoder's buffer of `size` gets, filled to 90 % at first.
double lowest_fill(const std::vector<double>& sizes, double maxrate_bps, double size) {
  double fill = 0.9 * size;
  double lowest = fill;
  for (const double bits : sizes) {
    fill -= bits;
    lowest = std::min(lowest, fill);
    fill = std::min(size, fill + maxrate_bps * kPictureS);
  }
  return lowest;
}

}  // namespace

TEST_CASE("the quantiser is libx264's for the same CRF when the rate is below the cap") {
  GuidedRateControl control(capped(23, 5'000'000));
  for (int segment = 0; segment < 3; ++segment) {
    control.begin_segment(even_segment(10'000));
    CHECK(control.qp_fraction() == Approx(0.4));
    CHECK(control.next_qp() == 25);  // an intra picture: 28 - 3
    CHECK(control.next_qp() == 28);
    for (int n = 0; n < kSegmentPictures; ++n) control.report(n, 10'000);
  }
}

TEST_CASE("the buffer does not run empty when pictures are larger than was foreseen") {
  const double factor = GENERATE(0.5, 1.0, 1.6);
  constexpr double kCap = 1'000'000;
  GuidedRateControl control(capped(20, static_cast<int64_t>(kCap)));
  std::vector<double> sizes;
  for (int segment = 0; segment < 8; ++segment) {
    const auto more = encode(control, even_segment(60'000), factor);
    sizes.insert(sizes.end(), more.begin(), more.end());
  }
  CHECK(lowest_fill(sizes, kCap, kCap * 1.5) > 0);
  const double rate = sum(sizes) / (static_cast<double>(sizes.size()) * kPictureS);
  CHECK(rate < kCap * 1.1);
  CHECK(rate > kCap * 0.9);  // it would like to have more, so it takes what there is
}

TEST_CASE("the average is met when a rate is wanted, whatever the guide's bits say") {
  const double factor = GENERATE(0.6, 1.0, 1.5);
  RateControl rate;
  rate.mode = RateControl::Mode::Abr;
  rate.bitrate_bps = 1'000'000;
  rate.maxrate_bps = 1'500'000;
  rate.bufsize_bits = 2'250'000;
  GuidedRateControl control({rate, kPictureS, 1});
  double bits = 0;
  constexpr int kSegments = 15;
  for (int segment = 0; segment < kSegments; ++segment) {
    bits += sum(encode(control, even_segment(segment % 3 == 0 ? 20'000 : 50'000), factor));
  }
  CHECK(bits / (kSegments * kSegmentPictures * kPictureS) == Approx(1'000'000).epsilon(0.05));
}

TEST_CASE("nothing is carried over when a chunk begins") {
  GuidedRateControl control(capped(20, 1'000'000));
  const auto first = encode(control, even_segment(60'000), 1.3);
  encode(control, even_segment(90'000), 1.3);
  control.restart();
  CHECK(encode(control, even_segment(60'000), 1.3) == first);
}

TEST_CASE("a quantiser stays within what the encoder takes when nothing would be enough") {
  GuidedRateControl control(capped(51, 10'000));
  control.begin_segment(even_segment(1'000'000));
  for (int n = 0; n < kSegmentPictures; ++n) {
    const int qp = control.next_qp();
    CHECK(qp >= 1);
    CHECK(qp <= 69);
    control.report(n, 500'000);
  }
}

namespace {

X264Encoder::Options encoder_options(int width, int height) {
  X264Encoder::Options options;
  options.rendition.width = width;
  options.rendition.height = height;
  options.rendition.rate.maxrate_bps = 2'000'000;
  options.rendition.rate.bufsize_bits = 3'000'000;
  options.preset = "veryfast";
  options.frame_rate = {25, 1};
  options.segment_frames = kSegmentPictures;
  return options;
}

/// A bar that moves over a pattern; another pattern every 15 pictures, so that types vary.
millrace::av::Frame moving_picture(int width, int height, int number) {
  auto frame = millrace::av::make_picture(AV_PIX_FMT_YUV420P, width, height);
  for (int plane = 0; plane < 3; ++plane) {
    const int shift = plane == 0 ? 0 : 1;
    for (int y = 0; y < height >> shift; ++y) {
      for (int x = 0; x < width >> shift; ++x) {
        const int pattern = ((x * 320 / width) ^ (y * 180 / height)) * (1 + number / 15 % 3);
        const bool bar = std::abs(x * 320 / width - number * 3 % 320) < 12;
        frame->data[plane][y * frame->linesize[plane] + x] =
            static_cast<uint8_t>(bar ? 200 : 40 + (pattern & 127));
      }
    }
  }
  return frame;
}

}  // namespace

TEST_CASE("guided pictures have their guide's types, segment by segment") {
  StatisticsReader reader(320, 180);
  auto options = encoder_options(320, 180);
  options.statistics_out = reader.path();
  X264Encoder guide(options);
  std::map<int64_t, std::pair<bool, bool>> guide_types;
  std::vector<SegmentStatistics> known;
  int64_t out = 0;
  const auto note = [&](const CodedPicture& picture) {
    guide_types[picture.slot] = {picture.idr, picture.disposable};
    if (++out % kSegmentPictures == 0) known.push_back(reader.take(kSegmentPictures));
  };
  for (int n = 0; n < 2 * kSegmentPictures; ++n) {
    guide.encode(*moving_picture(320, 180, n), n, n % kSegmentPictures == 0, note);
  }
  guide.finish(note);
  REQUIRE(known.size() == 2);

  const X264Encoder plain(encoder_options(640, 360));
  for (size_t segment = 0; segment < known.size(); ++segment) {
    CHECK(known[segment].pictures.front().type == 'I');
    auto guided_options = encoder_options(640, 360);
    guided_options.guide = &known[segment];
    X264Encoder guided(guided_options);
    CHECK(guided.config().record == plain.config().record);
    int64_t pictures = 0;
    const auto compare = [&](const CodedPicture& picture) {
      ++pictures;
      CHECK(guide_types.at(picture.slot) == std::pair{picture.idr, picture.disposable});
    };
    for (int n = 0; n < kSegmentPictures; ++n) {
      const int64_t slot = static_cast<int64_t>(segment) * kSegmentPictures + n;
      guided.encode(*moving_picture(640, 360, static_cast<int>(slot)), slot, n == 0, compare, 28);
    }
    guided.finish(compare);
    CHECK(pictures == kSegmentPictures);
  }
}

TEST_CASE("a frame's place is given back when its last copy is gone") {
  FrameBudget budget(1);
  auto held = budget.hold(millrace::av::share(moving_picture(32, 32, 0)));
  REQUIRE(held);
  CHECK(held->width == 32);
  held = nullptr;
  CHECK(budget.hold(millrace::av::share(moving_picture(32, 32, 1))));  // else this would wait
  budget.abandon();
  CHECK_FALSE(budget.hold(millrace::av::share(moving_picture(32, 32, 2))));
}
