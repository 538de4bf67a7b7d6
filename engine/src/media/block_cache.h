/// A small cache of fixed-size blocks with read-ahead, in front of something slow.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

namespace millrace::media {

/// Least-recently-used blocks. One thread reads; a helper thread fetches ahead of it when it reads
/// on from block to block (two interleaved sequential readers both count as sequential). The longer
/// it reads on, the more blocks at once, because a request costs its server as much as a megabyte.
class BlockCache {
 public:
  using Block = std::shared_ptr<const std::vector<uint8_t>>;
  struct Run {
    int64_t first;  ///< number of a block
    int64_t count;  ///< blocks from there on
  };
  /// Fetches the bytes of a run of blocks. `lane` 0 = the reader, which wants one, 1 = the
  /// read-ahead thread: each lane calls from one thread only, so that a fetcher can keep one
  /// connection per lane.
  using Fetch = std::function<std::vector<uint8_t>(Run run, int lane)>;

  struct Options {
    size_t capacity = 16;     ///< blocks kept
    int64_t longest_run = 4;  ///< blocks fetched ahead of a sequential reader; 0: none
    int64_t block_count = 0;  ///< blocks there are
    size_t block_bytes = 0;   ///< size of each but the last
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
  bool is_known_locked(int64_t index) const;
  void plan_read_ahead_locked(int64_t index);
  void run_read_ahead();
  std::vector<Block> fetch_ahead(Run run) const;

  Options options_;
  Fetch fetch_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Entry> entries_;   ///< most recently used first
  std::optional<Run> wanted_;  ///< what to read ahead next
  std::set<int64_t> in_flight_;
  int64_t last_index_ = -1;
  int64_t sequence_ = 0;  ///< how many blocks the reader read on without a jump
  bool closing_ = false;
  std::thread helper_;
};

}  // namespace millrace::media
