#include "media/block_cache.h"

#include <algorithm>
#include <utility>

namespace millrace::media {

namespace {

constexpr int64_t kReadForEachAhead = 4;

}  // namespace

BlockCache::BlockCache(Options options, Fetch fetch) : options_(options), fetch_(std::move(fetch)) {
  if (options_.longest_run > 0) helper_ = std::thread([this] { run_read_ahead(); });
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
    block = std::make_shared<const std::vector<uint8_t>>(fetch_({index, 1}, 0));
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

bool BlockCache::is_known_locked(int64_t index) const {
  return in_flight_.contains(index) ||
         std::any_of(entries_.begin(), entries_.end(),
                     [index](const Entry& entry) { return entry.index == index; });
}

/// Wants the next run as soon as the block after `index` is not on its way yet.
void BlockCache::plan_read_ahead_locked(int64_t index) {
  if (index == last_index_ || options_.longest_run == 0) return;
  last_index_ = index;
  // What the reader has overtaken it fetches itself, and may even have let go of again.
  wanted_.reset();
  const bool sequential =
      index > 0 && std::any_of(entries_.begin(), entries_.end(),
                               [index](const Entry& entry) { return entry.index == index - 1; });
  sequence_ = sequential ? sequence_ + 1 : 0;
  // Nobody tells where the reader will stop: what it does not want is a part of what it wanted.
  const int64_t longest =
      sequential ? std::clamp<int64_t>(sequence_ / kReadForEachAhead, 1, options_.longest_run) : 0;
  const int64_t end = std::min(index + 1 + longest, options_.block_count);
  int64_t last = index;
  while (last + 1 < end && !is_known_locked(last + 1)) ++last;
  if (last == index) return;
  wanted_ = Run{index + 1, last - index};
  changed_.notify_all();
}

void BlockCache::run_read_ahead() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || wanted_; });
    if (closing_) return;
    const Run run = *std::exchange(wanted_, std::nullopt);
    for (int64_t i = 0; i < run.count; ++i) in_flight_.insert(run.first + i);
    lock.unlock();
    const std::vector<Block> blocks = fetch_ahead(run);
    lock.lock();
    for (int64_t i = 0; i < run.count; ++i) in_flight_.erase(run.first + i);
    // The block that is read next is to be the last one that is let go of.
    for (size_t i = blocks.size(); i-- > 0;) {
      insert_locked(run.first + static_cast<int64_t>(i), blocks[i]);
    }
    changed_.notify_all();
  }
}

/// None when they cannot be had. Read-ahead is a guess: the reader meets the same error itself if
/// it gets there.
std::vector<BlockCache::Block> BlockCache::fetch_ahead(Run run) const {
  std::vector<Block> blocks;
  try {
    const std::vector<uint8_t> bytes = fetch_(run, 1);
    for (size_t at = 0; at < bytes.size(); at += options_.block_bytes) {
      const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
      const size_t length = std::min(options_.block_bytes, bytes.size() - at);
      blocks.push_back(std::make_shared<const std::vector<uint8_t>>(
          begin, begin + static_cast<std::ptrdiff_t>(length)));
    }
  } catch (const std::exception&) {
    blocks.clear();
  }
  return blocks;
}

}  // namespace millrace::media
