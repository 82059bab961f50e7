// One node's engine, its state on disk, and the thread that sends: a far side that hangs holds up messages, never
// events. What a rule picked is on disk before process() returns.
//
// Threads: the lane's (accept, start, stop) and the courier's own; they share the engine behind one mutex, which is
// taken once per batch and never held while something is sent.
#pragma once

#include "groups.hh"
#include "journal.hh"
#include "pause.hh"
#include "refusals.hh"

#include <sluice/cpp/host_view.hh>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace alerting {

/// Milliseconds since the Unix epoch.
[[nodiscard]] std::int64_t wall_clock_ms();

class Courier {
 public:
  struct Receiver {
    std::function<Answer(const Message&)> send;
    std::function<void()> cancel;                 // ends a send that is under way, from another thread
    std::function<std::uint64_t()> secret_print;  // another one when the secret has changed
  };

  Courier(sluice::HostView host, Settings settings, const std::string& state, Receiver receiver);
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  /// Takes the state over and begins to send. Throws sluice::Away, sluice::BadConfig.
  void start();
  /// Runs body on the engine, puts what changed on disk, wakes the thread. False when the disk did not take it: then it
  /// is in memory, and goes to disk with the next success.
  template <class Body>
  [[nodiscard]] bool change(Body&& body) {
    bool written = false;
    {
      const std::lock_guard lock(mutex_);
      body(groups_);
      written = keep();
    }
    awake_.notify_one();
    return written;
  }
  /// Sends what has not been told yet, without waiting for more; what cannot go in time stays in the state.
  void stop(std::chrono::milliseconds timeout);

  [[nodiscard]] const std::string& silences_path() const noexcept { return silences_path_; }
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }

 private:
  enum class Standing : std::uint8_t { good, again, away };  // of the receiver
  void run();
  bool keep();  // under the mutex
  void read_silences();
  void give_up(const Message& message, const Answer& answer, std::int64_t now_ms);
  void judge(const Message& message, const Answer& answer, std::int64_t now_ms);
  [[nodiscard]] Answer send(const Message& message);
  [[nodiscard]] std::optional<Message> next(std::int64_t now_ms);
  void set_standing(Standing standing, const std::string& why);
  void report();
  void show();

  sluice::HostView host_;
  const Receiver receiver_;
  std::mutex mutex_;
  std::condition_variable awake_;
  Groups groups_;
  Journal journal_;
  const std::string silences_path_;
  const Refusals refusals_;
  std::string silences_stamp_;
  Standing standing_ = Standing::good;
  std::string standing_text_, state_text_;  // why it is not good; why the state cannot be written
  Pause pause_;
  bool stopping_ = false, idle_ = false;
  std::int64_t deadline_ms_ = 0;
  std::atomic<std::uint64_t> sent_{0};
  std::map<std::string, sluice_cell*> failed_cells_;
  sluice_cell *sent_cell_ = nullptr, *refused_cell_ = nullptr, *latency_cell_ = nullptr, *latency_sum_cell_ = nullptr,
              *firing_cell_ = nullptr, *groups_cell_ = nullptr;
  sluice_cell* suppressed_cells_[4] = {};
  std::thread thread_;
};

}  // namespace alerting
