// bare_sync_append FILE OUT — appends the same lines to a new file as they are read, in blocks of at most 256 KiB, and
// flushes it to disk (fdatasync) every 10 ms and at the end: what a spool with group commit is asked to do, bare.
#include "measured.hh"

namespace {

constexpr std::size_t kBlock = 256 * 1024;  // what one pull of the host takes at most
constexpr double kCommitSeconds = 0.010;

void write_all(int fd, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, bytes, size);
    if (written <= 0) bare::give_up("write");
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

}  // namespace

int main(int, char** arguments) {
  const int fd = open(arguments[2], O_WRONLY | O_CREAT | O_APPEND | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) bare::give_up(arguments[2]);
  std::vector<char> block(kBlock);
  std::size_t held = 0;
  std::string_view line;
  std::uint64_t events = 0;
  const bare::Stopwatch watch;
  double synced = bare::seconds_of(CLOCK_MONOTONIC);
  bare::Lines lines(arguments[1]);
  while (lines.next(line)) {
    if (held + line.size() + 1 > block.size()) {
      write_all(fd, block.data(), held);
      held = 0;
      if (bare::seconds_of(CLOCK_MONOTONIC) - synced >= kCommitSeconds) {
        if (fdatasync(fd) != 0) bare::give_up("fdatasync");
        synced = bare::seconds_of(CLOCK_MONOTONIC);
      }
    }
    std::memcpy(block.data() + held, line.data(), line.size());
    held += line.size();
    block[held++] = '\n';
    ++events;
  }
  write_all(fd, block.data(), held);
  if (fdatasync(fd) != 0) bare::give_up("fdatasync");
  close(fd);
  watch.report(events, lines.bytes());
  return 0;
}
