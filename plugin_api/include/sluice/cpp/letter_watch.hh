// How many dead letters a store holds and how old the oldest is, as metrics: whoever keeps letters must see that they
// pile up. For a backend whose schema has `holds_dead_letters`, which the host sets where letters go to.
//
// The store is asked now and then by a thread of its own, with a connection of its own: a server that is slow to say
// how much it holds holds up no letter.
#pragma once

#include "host_view.hh"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace sluice {

struct LetterFacts {
  std::uint64_t letters = 0;
  double oldest_age_s = 0;  // 0 when there are none
};

class LetterWatch {
 public:
  /// Asks the store, for so long at most. What it throws ends the question: the figures stay as they were.
  using Ask = std::function<LetterFacts(std::chrono::milliseconds)>;

  LetterWatch(HostView host, Ask ask, const char* age_help = "Time since the oldest letter was stored; 0 when empty.")
      : ask_(std::move(ask)),
        letters_(host.cell(SLUICE_GAUGE, "dead_letters", "Dead letters in the store.")),
        age_(host.cell(SLUICE_GAUGE, "dead_letter_oldest_age_seconds", age_help)) {}
  ~LetterWatch() { stop(); }
  LetterWatch(const LetterWatch&) = delete;
  LetterWatch& operator=(const LetterWatch&) = delete;

  /// Begins to ask; once, however often it is called.
  void start() {
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }
  /// Waits for a question under way, which is bounded.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

 private:
  static constexpr std::chrono::seconds kEvery{5};
  static constexpr std::chrono::milliseconds kPatience{2'000};

  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      look();
      lock.lock();
      changed_.wait_for(lock, kEvery, [this] { return stopping_; });
    }
  }

  void look() noexcept {
    try {
      const LetterFacts facts = ask_(kPatience);
      set(letters_, static_cast<double>(facts.letters));
      set(age_, facts.letters == 0 ? 0.0 : std::max(facts.oldest_age_s, 0.0));
    } catch (...) {
      // Away, or not there yet: the lane says so, and the next question may be answered.
    }
  }

  const Ask ask_;
  sluice_cell *letters_, *age_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace sluice
