#include "media/block_cache.h"

#include <algorithm>
#include <utility>

namespace millrace::media {

BlockCache::BlockCache(Options options, Fetch fetch) : options_(options), fetch_(std::move(fetch)) {
  if (options_.read_ahead > 0) helper_ = std::thread([this] { run_read_ahead(); });
}

BlockCache::~BlockCache() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  if (helper_.joinable()) helper_.join();
}

BlockCache::Block BlockCache::get(int64_t index) {
  std::unique_lock lock(mutex_);
  plan_read_ahead_locked(index);
  for (;;) {
    if (Block block = find_locked(index)) return block;
    if (!in_flight_.contains(index)) break;
    changed_.wait(lock);
  }
  in_flight_.insert(index);
  lock.unlock();
  Block block;
  try {
    block = std::make_shared<const std::vector<uint8_t>>(fetch_(index, 0));
  } catch (...) {
    lock.lock();
    in_flight_.erase(index);
    throw;
  }
  lock.lock();
  in_flight_.erase(index);
  insert_locked(index, block);
  return block;
}

void BlockCache::put(int64_t index, std::vector<uint8_t> bytes) {
  const std::lock_guard lock(mutex_);
  insert_locked(index, std::make_shared<const std::vector<uint8_t>>(std::move(bytes)));
}

BlockCache::Block BlockCache::find_locked(int64_t index) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [index](const Entry& entry) { return entry.index == index; });
  if (found == entries_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found);
  return entries_.front().block;
}

void BlockCache::insert_locked(int64_t index, Block block) {
  if (find_locked(index)) return;
  entries_.push_front({index, std::move(block)});
  if (entries_.size() > options_.capacity) entries_.pop_back();
}

void BlockCache::plan_read_ahead_locked(int64_t index) {
  if (index == last_index_) return;
  last_index_ = index;
  // What the reader has overtaken it fetches itself, and may even have let go of again.
  std::erase_if(wanted_, [index](int64_t wanted) { return wanted <= index; });
  const bool sequential =
      index > 0 && std::any_of(entries_.begin(), entries_.end(),
                               [index](const Entry& entry) { return entry.index == index - 1; });
  if (!sequential || options_.read_ahead <= 0) return;
  const int64_t end = std::min(index + 1 + options_.read_ahead, options_.block_count);
  for (int64_t next = index + 1; next < end; ++next) {
    const bool known = in_flight_.contains(next) ||
                       std::find(wanted_.begin(), wanted_.end(), next) != wanted_.end() ||
                       std::any_of(entries_.begin(), entries_.end(),
                                   [next](const Entry& entry) { return entry.index == next; });
    if (!known) wanted_.push_back(next);
  }
  changed_.notify_all();
}

void BlockCache::run_read_ahead() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || !wanted_.empty(); });
    if (closing_) return;
    const int64_t index = wanted_.front();
    wanted_.pop_front();
    if (in_flight_.contains(index) || find_locked(index)) continue;
    in_flight_.insert(index);
    lock.unlock();
    Block block;
    try {
      block = std::make_shared<const std::vector<uint8_t>>(fetch_(index, 1));
    } catch (const std::exception&) {
      // Read-ahead is a guess: the reader meets the same error itself if it gets there.
      block = nullptr;
    }
    lock.lock();
    in_flight_.erase(index);
    if (block) insert_locked(index, block);
    changed_.notify_all();
  }
}

}  // namespace millrace::media
