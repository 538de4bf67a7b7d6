/// Bounds the frames that wait for a later stage.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "av/ptr.h"

namespace millrace::media {

class FrameBudget {
 public:
  explicit FrameBudget(size_t frames) : state_(std::make_shared<State>()) { state_->left = frames; }

  /// Waits for room; it is given back when the last copy of what is returned is gone. Null after
  /// `abandon`.
  av::SharedFrame hold(av::SharedFrame frame) {
    std::unique_lock lock(state_->mutex);
    state_->room.wait(lock, [this] { return state_->abandoned || state_->left > 0; });
    if (state_->abandoned) return nullptr;
    --state_->left;
    auto held = std::make_shared<Held>(state_, std::move(frame));
    const AVFrame* picture = held->frame.get();
    return {std::move(held), picture};
  }

  /// Nobody waits any more.
  void abandon() {
    const std::lock_guard lock(state_->mutex);
    state_->abandoned = true;
    state_->room.notify_all();
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable room;
    size_t left = 0;
    bool abandoned = false;
  };
  struct Held {
    Held(std::shared_ptr<State> owner, av::SharedFrame held)
        : state(std::move(owner)), frame(std::move(held)) {}
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() {
      const std::lock_guard lock(state->mutex);
      ++state->left;
      state->room.notify_one();
    }

    std::shared_ptr<State> state;
    av::SharedFrame frame;
  };

  std::shared_ptr<State> state_;
};

}  // namespace millrace::media
