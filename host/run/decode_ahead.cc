#include "run/decode_ahead.hh"

#include <pthread.h>

namespace sluice {

DecodeAhead::~DecodeAhead() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void DecodeAhead::offer(Pull& pull) {
  {
    const std::lock_guard lock(mutex_);
    if (size_ == queue_.size()) return;  // full of pulls that the lane has claimed itself: it claims this one, too
    queue_[(head_ + size_++) % queue_.size()] = &pull;
  }
  changed_.notify_one();
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { work(); });
    pthread_setname_np(thread_.native_handle(), (node_.substr(0, 8) + " decode").c_str());
  }
}

void DecodeAhead::wait_for(const Pull& pull) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return pull.decoded(); });
}

void DecodeAhead::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stop_ || size_ > 0; });
    if (stop_) return;
    Pull& pull = *queue_[head_];
    head_ = (head_ + 1) % queue_.size();
    --size_;
    if (!pull.claim()) continue;
    lock.unlock();
    pull.decode(decoder_, node_, seed_);
    lane_.wake();
    lock.lock();
    changed_.notify_all();
  }
}

}  // namespace sluice
