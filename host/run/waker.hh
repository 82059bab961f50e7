// Wakes a sleeping lane: an eventfd that is only written when the lane really sleeps, so a busy lane costs its
// neighbours no system call. Wakes are never lost and may be merged.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace sluice {

class Waker {
 public:
  Waker() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;
  ~Waker() { ::close(fd_); }

  /// Any thread.
  void wake() noexcept {
    pending_.store(true);
    if (asleep_.load()) signal();
  }
  [[nodiscard]] int fd() const noexcept { return fd_; }

  /// The lane: takes note of all wakes so far. Call before looking for work.
  void clear() noexcept {
    if (pending_.exchange(false) && signalled_.exchange(false)) {
      std::uint64_t count = 0;
      (void)!::read(fd_, &count, sizeof count);
    }
  }
  /// The lane: true when it may sleep on fd(); false when a wake came since clear().
  [[nodiscard]] bool prepare_sleep() noexcept {
    asleep_.store(true);
    if (!pending_.load()) return true;
    asleep_.store(false);
    return false;
  }
  void slept() noexcept { asleep_.store(false); }

 private:
  void signal() noexcept {
    if (signalled_.exchange(true)) return;
    const std::uint64_t one = 1;
    (void)!::write(fd_, &one, sizeof one);
  }
  int fd_;
  std::atomic<bool> pending_{false};
  std::atomic<bool> asleep_{false};
  std::atomic<bool> signalled_{false};
};

}  // namespace sluice
