// What every bare client needs: the lines of the input, two clocks, and the one line that the suite reads.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>
#include <vector>

namespace bare {

inline double seconds_of(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

[[noreturn]] inline void give_up(const char* what) {
  std::perror(what);
  std::exit(2);
}

/// The lines of a file, read in blocks of 1 MiB. Reading is inside the measured time, as it is for the host: a bare
/// client must not do less than the host is asked to do.
class Lines {
 public:
  explicit Lines(const char* path) : fd_(open(path, O_RDONLY | O_CLOEXEC)), buffer_(kBlock + kPadding) {
    if (fd_ < 0) give_up(path);
  }
  ~Lines() { close(fd_); }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  /// The next line without its newline, with readable bytes behind it as a JSON parser wants them; valid until the next
  /// call. False at the end.
  bool next(std::string_view& line) {
    const char* newline = find();
    while (newline == nullptr && fill()) newline = find();
    if (newline == nullptr) {
      if (at_ == end_) return false;
      give_up("the last line has no newline, or a line is longer than a block");
    }
    line = {buffer_.data() + at_, static_cast<std::size_t>(newline - buffer_.data()) - at_};
    at_ += line.size() + 1;
    bytes_ += line.size() + 1;
    return true;
  }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kBlock = 1 << 20;
  static constexpr std::size_t kPadding = 4096;

  const char* find() const { return static_cast<const char*>(std::memchr(buffer_.data() + at_, '\n', end_ - at_)); }
  bool fill() {
    std::memmove(buffer_.data(), buffer_.data() + at_, end_ - at_);
    end_ -= at_;
    at_ = 0;
    const ssize_t got = read(fd_, buffer_.data() + end_, kBlock - end_);
    if (got < 0) give_up("read");
    end_ += static_cast<std::size_t>(got);
    return got > 0;
  }

  int fd_;
  std::vector<char> buffer_;
  std::size_t at_ = 0, end_ = 0;
  std::uint64_t bytes_ = 0;
};

/// Wall time and this process's own CPU time from construction to report().
class Stopwatch {
 public:
  void report(std::uint64_t events, std::uint64_t bytes) const {
    std::printf("RESULT events=%llu bytes=%llu seconds=%.6f cpu=%.6f\n", static_cast<unsigned long long>(events),
                static_cast<unsigned long long>(bytes), seconds_of(CLOCK_MONOTONIC) - wall_,
                seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_);
  }

 private:
  double wall_ = seconds_of(CLOCK_MONOTONIC);
  double cpu_ = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
};

}  // namespace bare
