#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "media/block_cache.h"

using millrace::media::BlockCache;

namespace {

/// Remembers which blocks were fetched.
class Fetches {
 public:
  /// Each block has two bytes: its number, twice.
  std::vector<uint8_t> fetch(BlockCache::Run run) {
    const std::lock_guard lock(mutex_);
    std::vector<uint8_t> bytes;
    for (int64_t index = run.first; index < run.first + run.count; ++index) {
      indexes_.push_back(index);
      bytes.insert(bytes.end(), 2, static_cast<uint8_t>(index));
    }
    ++requests_;
    return bytes;
  }
  size_t count(int64_t index) const {
    const std::lock_guard lock(mutex_);
    return static_cast<size_t>(std::count(indexes_.begin(), indexes_.end(), index));
  }
  size_t total() const {
    const std::lock_guard lock(mutex_);
    return indexes_.size();
  }
  size_t requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  /// Until as many blocks were asked for.
  void await(size_t blocks) const {
    while (total() < blocks) std::this_thread::yield();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<int64_t> indexes_;
  size_t requests_ = 0;
};

}  // namespace

TEST_CASE("a block is fetched once when it is read again") {
  Fetches fetches;
  BlockCache cache({4, 0, 100, 2}, [&](BlockCache::Run run, int) { return fetches.fetch(run); });
  CHECK(cache.get(7)->front() == 7);
  CHECK(cache.get(7)->front() == 7);
  CHECK(fetches.count(7) == 1);
}

TEST_CASE("the least recently used block goes when the cache is full") {
  Fetches fetches;
  BlockCache cache({2, 0, 100, 2}, [&](BlockCache::Run run, int) { return fetches.fetch(run); });
  for (const int64_t index : {10, 20, 10, 30, 10, 20}) cache.get(index);
  CHECK(fetches.count(10) == 1);
  CHECK(fetches.count(20) == 2);
}

TEST_CASE("every block is fetched once when a reader runs ahead of the read-ahead") {
  Fetches fetches;
  BlockCache cache({16, 4, 50, 2}, [&](BlockCache::Run run, int) { return fetches.fetch(run); });
  for (int64_t index = 0; index < 50; ++index) REQUIRE(cache.get(index)->front() == index);
  CHECK(fetches.total() == 50);
}

TEST_CASE("requests grow when the reader reads on") {
  Fetches fetches;
  BlockCache cache({32, 4, 100, 2}, [&](BlockCache::Run run, int) { return fetches.fetch(run); });
  cache.get(20);
  for (int64_t index = 21; index <= 45; ++index) {
    REQUIRE(cache.get(index)->back() == index);
    fetches.await(static_cast<size_t>(index - 18));  // the block after it is on its way
  }
  // 20 and 21; one by one up to 28; 29, 30; 31, 32; 33 … 35; 36 … 38; 39 … 42; 43 … 46.
  CHECK(fetches.total() == 27);
  CHECK(fetches.requests() == 15);
}

TEST_CASE("the last run ends with the file when it is read to its end") {
  Fetches fetches;
  BlockCache cache({16, 4, 9, 2}, [&](BlockCache::Run run, int) { return fetches.fetch(run); });
  for (int64_t index = 0; index < 9; ++index) REQUIRE(cache.get(index)->back() == index);
  CHECK(fetches.total() == 9);
}

TEST_CASE("nothing is read ahead when the reader jumps") {
  Fetches fetches;
  {
    BlockCache cache({16, 4, 100, 2}, [&](BlockCache::Run run, int) { return fetches.fetch(run); });
    for (const int64_t index : {90, 5, 40, 0}) cache.get(index);
  }
  CHECK(fetches.total() == 4);
}

TEST_CASE("the reader gets the error and may try again when a fetch fails") {
  std::atomic<bool> fail{true};
  BlockCache cache({4, 0, 10, 2}, [&](BlockCache::Run, int) -> std::vector<uint8_t> {
    if (fail) throw std::runtime_error("broken");
    return {1};
  });
  CHECK_THROWS_WITH(cache.get(3), "broken");
  fail = false;
  CHECK(cache.get(3)->front() == 1);
}
