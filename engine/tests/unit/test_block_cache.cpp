#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "media/block_cache.h"

using millrace::media::BlockCache;

namespace {

/// Remembers which blocks were fetched.
class Fetches {
 public:
  std::vector<uint8_t> fetch(int64_t index) {
    const std::lock_guard lock(mutex_);
    indexes_.push_back(index);
    return {static_cast<uint8_t>(index), static_cast<uint8_t>(index)};
  }
  size_t count(int64_t index) const {
    const std::lock_guard lock(mutex_);
    return static_cast<size_t>(std::count(indexes_.begin(), indexes_.end(), index));
  }
  size_t total() const {
    const std::lock_guard lock(mutex_);
    return indexes_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<int64_t> indexes_;
};

}  // namespace

TEST_CASE("a block is fetched once when it is read again") {
  Fetches fetches;
  BlockCache cache({4, 0, 100}, [&](int64_t index, int) { return fetches.fetch(index); });
  CHECK(cache.get(7)->front() == 7);
  CHECK(cache.get(7)->front() == 7);
  CHECK(fetches.count(7) == 1);
}

TEST_CASE("the least recently used block goes when the cache is full") {
  Fetches fetches;
  BlockCache cache({2, 0, 100}, [&](int64_t index, int) { return fetches.fetch(index); });
  for (const int64_t index : {10, 20, 10, 30, 10, 20}) cache.get(index);
  CHECK(fetches.count(10) == 1);
  CHECK(fetches.count(20) == 2);
}

TEST_CASE("every block is fetched once when a reader runs ahead of the read-ahead") {
  Fetches fetches;
  BlockCache cache({16, 2, 50}, [&](int64_t index, int) { return fetches.fetch(index); });
  for (int64_t index = 0; index < 50; ++index) REQUIRE(cache.get(index)->front() == index);
  CHECK(fetches.total() == 50);
}

TEST_CASE("nothing is read ahead when the reader jumps") {
  Fetches fetches;
  {
    BlockCache cache({16, 2, 100}, [&](int64_t index, int) { return fetches.fetch(index); });
    for (const int64_t index : {90, 5, 40, 0}) cache.get(index);
  }
  CHECK(fetches.total() == 4);
}

TEST_CASE("the reader gets the error and may try again when a fetch fails") {
  std::atomic<bool> fail{true};
  BlockCache cache({4, 0, 10}, [&](int64_t, int) -> std::vector<uint8_t> {
    if (fail) throw std::runtime_error("broken");
    return {1};
  });
  CHECK_THROWS_WITH(cache.get(3), "broken");
  fail = false;
  CHECK(cache.get(3)->front() == 1);
}
