// Signals as something to read: a descriptor that becomes readable, never a handler that interrupts.
#pragma once

#include <optional>

namespace sluice {

/// Blocks SIGTERM, SIGINT and SIGHUP for this thread and every thread that it starts afterwards, and ignores SIGPIPE
/// for the process. Make it before any thread runs, and only once. The destructor undoes both.
class Signals {
 public:
  enum class Event {
    stop,      // the first SIGTERM or SIGINT: stop sources, drain, end
    stop_now,  // a further one: end at once
    reload,    // SIGHUP: the configuration is read again
  };

  Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

  /// Readable when read() has something to say.
  [[nodiscard]] int fd() const noexcept { return fd_; }
  /// The next signal, or nothing; never waits.
  [[nodiscard]] std::optional<Event> read() noexcept;
  /// True once a stop was read: what would begin next should not.
  [[nodiscard]] bool stopping() const noexcept { return stopping_; }

 private:
  int fd_ = -1;
  bool stopping_ = false;
};

}  // namespace sluice
