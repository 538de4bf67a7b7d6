#include <catch2/catch.hpp>
#include <map>
#include <vector>

#include "media/frame_grid.h"

using millrace::media::FrameGrid;
using millrace::media::SlotFiller;
namespace av = millrace::av;

namespace {

constexpr AVRational kMilliseconds{1, 1000};

struct Picture {
  int64_t timestamp;
  int64_t duration;
};

/// Which source timestamp every slot of the range shows.
std::map<int64_t, int64_t> fill(const FrameGrid& grid, const std::vector<Picture>& frames,
                                int64_t start, int64_t end, size_t first = 0) {
  std::map<int64_t, int64_t> shown;
  SlotFiller filler(grid, start, end, [&shown](int64_t slot, const av::SharedFrame& frame) {
    REQUIRE(shown.emplace(slot, frame->pts).second);
  });
  for (size_t n = first; n < frames.size() && !filler.done(); ++n) {
    av::Frame frame = av::make_frame();
    frame->pts = frames[n].timestamp;
    filler.push(av::share(std::move(frame)), frames[n].timestamp, frames[n].duration);
  }
  if (!filler.done()) filler.finish();
  return shown;
}

}  // namespace

TEST_CASE("every frame has its own slot when timestamps are rounded to milliseconds") {
  const FrameGrid grid({24000, 1001}, kMilliseconds, 0);
  for (int64_t n = 0; n < 100'000; ++n) {
    REQUIRE(grid.slot_of((n * 1001 * 1000 + 12000) / 24000) == n);
  }
}

TEST_CASE("timestamps before the origin have negative slots when the origin is later") {
  const FrameGrid grid({25, 1}, kMilliseconds, 1000);
  CHECK(grid.slot_of(1000) == 0);
  CHECK(grid.slot_of(960) == -1);
  CHECK(grid.slot_of(1040) == 1);
  CHECK(grid.timestamp_of(25) == 2000);
}

TEST_CASE("slots show the last frame that began when the rate is halved") {
  const FrameGrid grid({25, 1}, kMilliseconds, 0);
  std::vector<Picture> frames;
  for (int64_t n = 0; n < 10; ++n) frames.push_back({n * 20, 20});
  const auto shown = fill(grid, frames, 0, SlotFiller::kOpenEnd);
  REQUIRE(shown.size() == 5);
  for (const auto& [slot, timestamp] : shown) CHECK(timestamp == slot * 40);
}

TEST_CASE("frames are repeated when the source pauses and the last one lasts its duration") {
  const FrameGrid grid({10, 1}, kMilliseconds, 0);
  const auto shown = fill(grid, {{0, 100}, {100, 100}, {500, 300}}, 0, SlotFiller::kOpenEnd);
  const std::map<int64_t, int64_t> expected = {{0, 0},   {1, 100}, {2, 100}, {3, 100},
                                               {4, 100}, {5, 500}, {6, 500}, {7, 500}};
  CHECK(shown == expected);
}

TEST_CASE("the first frame fills the slots before it when it comes late") {
  const FrameGrid grid({10, 1}, kMilliseconds, 0);
  const auto shown = fill(grid, {{200, 100}, {300, 100}}, 0, SlotFiller::kOpenEnd);
  CHECK(shown.at(0) == 200);
  CHECK(shown.at(2) == 200);
  CHECK(shown.at(3) == 300);
  CHECK(shown.size() == 4);
}

TEST_CASE("a frame whose time runs backwards is dropped when a later one is shown") {
  const FrameGrid grid({10, 1}, kMilliseconds, 0);
  const auto shown = fill(grid, {{0, 100}, {300, 100}, {100, 100}, {400, 100}}, 0, 5);
  CHECK(shown.at(2) == 0);
  CHECK(shown.at(3) == 300);
  CHECK(shown.at(4) == 400);
}

TEST_CASE("chunks show the same frames as the whole when made one by one") {
  const FrameGrid grid({30, 1}, {1, 90'000}, 1234);
  std::vector<Picture> frames;
  int64_t timestamp = 1234;
  for (int n = 0; n < 200; ++n) {
    const int64_t step = 1500 + (n * 7919) % 4000;
    frames.push_back({timestamp, step});
    timestamp += step;
  }
  const auto whole = fill(grid, frames, 0, SlotFiller::kOpenEnd);
  std::map<int64_t, int64_t> joined;
  constexpr int64_t kChunk = 16;
  for (int64_t start = 0; start < static_cast<int64_t>(whole.size()); start += kChunk) {
    size_t first = 0;  // a key frame somewhere before the chunk
    while (first + 5 < frames.size() && grid.slot_of(frames[first + 5].timestamp) <= start) ++first;
    joined.merge(fill(grid, frames, start, start + kChunk, first));
  }
  CHECK(joined == whole);
}

TEST_CASE("nothing is shown when a chunk begins after the source's end") {
  const FrameGrid grid({10, 1}, kMilliseconds, 0);
  CHECK(fill(grid, {{0, 100}, {100, 100}}, 50, 60).empty());
}
