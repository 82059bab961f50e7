// The only file that knows spdlog: it gives each line its time and its colour, and the sink below writes it out.
#include "edge/log.hh"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <poll.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <mutex>

namespace sluice {
namespace {

constexpr std::chrono::milliseconds kLogWait{100};

spdlog::level::level_enum spdlog_level(Level level) noexcept {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

constexpr const char* kColours[] = {"\033[2m", "\033[32m", "\033[33m\033[1m", "\033[31m\033[1m"};
constexpr std::string_view kPlain = "\033[m";
constexpr std::string_view kClearLine = "\r\033[K";

}  // namespace

/// Writes whole lines to a descriptor without ever waiting long for its reader.
struct StreamLog::Sink final : spdlog::sinks::base_sink<std::mutex> {
  explicit Sink(int fd) : fd(fd), terminal(::isatty(fd) == 1) {}

  void show_status(std::string_view text) {
    const std::lock_guard lock(mutex_);
    if (!colours || (text.empty() && status.empty())) return;
    status.assign(text.substr(0, kLogLineBytes - kLogFrameBytes));
    (void)put(std::string(kClearLine) + status);
  }

  std::uint64_t lost_lines() {
    const std::lock_guard lock(mutex_);
    return lost;
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    line.clear();
    base_sink::formatter_->format(message, line);
    if (colours && message.color_range_end > message.color_range_start) colour(message);
    if (!status.empty()) around_status();
    if (unreported != 0 && writable(std::chrono::milliseconds(0))) report_lost(message);
    if (unreported != 0 || !put({line.data(), line.size()})) {
      ++unreported;
      ++lost;
    }
  }
  void flush_() override {}

 private:
  friend class StreamLog;

  void colour(const spdlog::details::log_msg& message) {
    static constexpr std::size_t kOfLevel[] = {0, 0, 1, 2, 3, 3, 3};
    const std::string_view on = kColours[kOfLevel[message.level]];
    const std::string_view text(line.data(), line.size());
    coloured.clear();
    coloured.append(text.substr(0, message.color_range_start));
    coloured.append(on);
    coloured.append(text.substr(message.color_range_start, message.color_range_end - message.color_range_start));
    coloured.append(kPlain);
    coloured.append(text.substr(message.color_range_end));
    line.clear();
    line.append(coloured.data(), coloured.data() + coloured.size());
  }

  /// The log line takes the status line's place, which then follows below.
  void around_status() {
    coloured.assign(kClearLine);
    coloured.append(line.data(), line.size());
    coloured.append(status);
    line.clear();
    line.append(coloured.data(), coloured.data() + coloured.size());
  }

  [[nodiscard]] bool writable(std::chrono::milliseconds wait) const noexcept {
    pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
    return ::poll(&waiting, 1, static_cast<int>(wait.count())) == 1 && (waiting.revents & POLLOUT) != 0;
  }

  /// A pipe that is writable takes kLogLineBytes in one piece; only other kinds of files can take a part.
  [[nodiscard]] bool put(std::string_view text) noexcept {
    while (!text.empty()) {
      if (!writable(kLogWait)) return false;
      const ssize_t written = ::write(fd, text.data(), text.size());
      if (written < 0 && errno != EINTR && errno != EAGAIN) return false;
      if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

  void report_lost(const spdlog::details::log_msg& like) {
    const std::string count = std::to_string(unreported);
    const std::string text = format == LogFormat::json
                                 ? R"("level":"warn","message":"Log lines were lost","count":)" + count
                                 : "Log lines were lost: nobody was reading count=" + count;
    spdlog::details::log_msg message(like.time, {}, "", spdlog::level::warn, text);
    spdlog::memory_buf_t out;
    base_sink::formatter_->format(message, out);
    if (put({out.data(), out.size()})) unreported = 0;
  }

  const int fd;
  const bool terminal;
  bool colours = false;
  LogFormat format = LogFormat::human;
  std::uint64_t lost = 0, unreported = 0;
  spdlog::memory_buf_t line;
  std::string coloured, status;
};

StreamLog::StreamLog(int fd) : sink_(std::make_unique<Sink>(fd)) { (void)set_format("auto"); }
StreamLog::~StreamLog() = default;

bool StreamLog::set_level(std::string_view level) noexcept {
  for (const Level known : {Level::debug, Level::info, Level::warn, Level::error}) {
    if (level == to_text(known)) return set_level(known), true;
  }
  return false;
}

bool StreamLog::set_format(std::string_view format) {
  if (format == "human")
    format_ = LogFormat::human;
  else if (format == "json")
    format_ = LogFormat::json;
  else if (format == "auto")
    format_ = sink_->terminal ? LogFormat::human : LogFormat::json;
  else
    return false;
  const bool json = format_ == LogFormat::json;
  sink_->format = format_;
  sink_->colours = sink_->terminal && !json;
  const auto* pattern = json ? "{\"timestamp\":\"%Y-%m-%dT%H:%M:%S.%eZ\",%v}" : "%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %v";
  sink_->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      pattern, json ? spdlog::pattern_time_type::utc : spdlog::pattern_time_type::local, "\n"));
  return true;
}

void StreamLog::write(Level level, std::string_view sentence, std::span<const Field> fields) noexcept {
  if (!enabled(level)) return;
  try {
    thread_local std::string text;  // kept: a lane that logs does not allocate
    text.clear();
    if (format_ == LogFormat::json) {
      text += "\"level\":\"";
      text += to_text(level);
      text += "\",";
    }
    append_log_text(text, format_, sentence, fields);
    sink_->log(spdlog::details::log_msg(spdlog::log_clock::now(), {}, "", spdlog_level(level), text));
  } catch (...) {
    // Out of memory while logging: the line is lost, the lane goes on.
  }
}

void StreamLog::show_status(std::string_view line) noexcept {
  try {
    sink_->show_status(line);
  } catch (...) {
    // Out of memory: no status line, then.
  }
}

bool StreamLog::on_terminal() const noexcept { return sink_->terminal; }

std::uint64_t StreamLog::lost() const noexcept { return sink_->lost_lines(); }

}  // namespace sluice
