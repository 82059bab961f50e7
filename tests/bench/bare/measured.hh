// What every bare client needs: the input in memory, its lines, two clocks, and the one line that the suite reads.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

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

/// The whole file with zeroed bytes behind it, as a JSON parser wants them. Read before the clock starts: the bare
/// client gets its input for free, the host has to read it.
inline std::string_view load(const char* path) {
  constexpr std::size_t kPadding = 4096;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat facts;
  if (fd < 0 || fstat(fd, &facts) != 0) give_up(path);
  const auto size = static_cast<std::size_t>(facts.st_size);
  void* memory = mmap(nullptr, size + kPadding, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) give_up("mmap");
  auto* bytes = static_cast<char*>(memory);
  for (std::size_t at = 0; at < size;) {
    const ssize_t got = read(fd, bytes + at, size - at);
    if (got <= 0) give_up(path);
    at += static_cast<std::size_t>(got);
  }
  close(fd);
  return {bytes, size};
}

class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  /// The next line without its newline; false at the end.
  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    const auto* newline = static_cast<const char*>(std::memchr(rest_.data(), '\n', rest_.size()));
    const std::size_t length = newline == nullptr ? rest_.size() : static_cast<std::size_t>(newline - rest_.data());
    line = rest_.substr(0, length);
    rest_.remove_prefix(newline == nullptr ? length : length + 1);
    return true;
  }

 private:
  std::string_view rest_;
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
