/// A small cache of fixed-size blocks with read-ahead, in front of something slow.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace millrace::media {

/// Least-recently-used blocks. One thread reads; a helper thread fetches ahead of it when it reads
/// on from block to block (two interleaved sequential readers both count as sequential).
class BlockCache {
 public:
  using Block = std::shared_ptr<const std::vector<uint8_t>>;
  /// Fetches block number `index`. `lane` 0 = the reader, 1 = the read-ahead thread: each lane
  /// calls from one thread only, so that a fetcher can keep one connection per lane.
  using Fetch = std::function<std::vector<uint8_t>(int64_t index, int lane)>;

  struct Options {
    size_t capacity = 16;     ///< blocks kept
    int64_t read_ahead = 2;   ///< blocks fetched ahead of a sequential reader
    int64_t block_count = 0;  ///< blocks there are
  };

  BlockCache(Options options, Fetch fetch);
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;
  ~BlockCache();

  /// The block, from the cache, from a fetch under way, or fetched now. Throws what `Fetch` throws.
  Block get(int64_t index);
  /// Puts in a block that was read anyway.
  void put(int64_t index, std::vector<uint8_t> bytes);

 private:
  struct Entry {
    int64_t index;
    Block block;
  };

  Block find_locked(int64_t index);
  void insert_locked(int64_t index, Block block);
  void plan_read_ahead_locked(int64_t index);
  void run_read_ahead();

  Options options_;
  Fetch fetch_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Entry> entries_;  ///< most recently used first
  std::deque<int64_t> wanted_;
  std::set<int64_t> in_flight_;
  int64_t last_index_ = -1;
  bool closing_ = false;
  std::thread helper_;
};

}  // namespace millrace::media
