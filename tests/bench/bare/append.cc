// bare_append FILE OUT — appends the same lines to a new file in blocks of 1 MiB, without a flush to disk.
#include "measured.hh"

#include <vector>

namespace {

constexpr std::size_t kBlock = 1 << 20;

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
  bare::Lines lines(arguments[1]);
  while (lines.next(line)) {
    if (held + line.size() + 1 > block.size()) {
      write_all(fd, block.data(), held);
      held = 0;
    }
    std::memcpy(block.data() + held, line.data(), line.size());
    held += line.size();
    block[held++] = '\n';
    ++events;
  }
  write_all(fd, block.data(), held);
  close(fd);
  watch.report(events, lines.bytes());
  return 0;
}
