// Log lines on standard error: for people on a terminal, as JSON otherwise.
#pragma once

#include "core/ports.hh"
#include "edge/log_line.hh"

#include <atomic>
#include <memory>
#include <string_view>

namespace sluice {

/// Thread-safe. Bounded in every way: a line has at most kLogLineBytes; a reader that has stopped reading costs a lane
/// at most kLogWait once, then lines are left out and counted until it reads again. Never throws after construction.
class StreamLog final : public Log {
 public:
  /// Writes to `fd`, which stays the caller's. Human when it is a terminal, with colours.
  explicit StreamLog(int fd = 2);
  ~StreamLog() override;

  /// debug | info | warn | error; false when the word is none of them.
  [[nodiscard]] bool set_level(std::string_view level) noexcept;
  void set_level(Level level) noexcept { level_.store(level, std::memory_order_relaxed); }
  /// auto | human | json; false when the word is none of them. Before threads start.
  [[nodiscard]] bool set_format(std::string_view format);

  [[nodiscard]] bool enabled(Level level) const noexcept override {
    return level >= level_.load(std::memory_order_relaxed);
  }
  void write(Level level, std::string_view sentence, std::span<const Field> fields) noexcept override;

  /// A line that stays at the bottom of the terminal while log lines pass above it; empty takes it away. Nothing when
  /// this is no terminal. Must hold no control characters.
  void show_status(std::string_view line) noexcept;
  [[nodiscard]] bool on_terminal() const noexcept;

  /// Lines that nobody could be told so far.
  [[nodiscard]] std::uint64_t lost() const noexcept;

 private:
  struct Sink;
  std::unique_ptr<Sink> sink_;
  std::atomic<Level> level_{Level::info};
  LogFormat format_ = LogFormat::human;
};

}  // namespace sluice
