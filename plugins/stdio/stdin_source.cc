#include "stdin_source.hh"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>

namespace stdio_plugin {
namespace {

constexpr std::size_t kReadBytesMin = 4096;
constexpr std::size_t kPositionBytes = 64;
constexpr std::uint64_t kLagEveryNs = 1'000'000'000;

bool readable_now(int fd) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, 0) > 0;
}

}  // namespace

StdinSource::StdinSource(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      framer_(config.text("framing") != "lines", static_cast<std::size_t>(config.integer("max_record_bytes"))),
      record_bytes_max_(static_cast<std::size_t>(config.integer("max_record_bytes"))),
      lag_(host.cell(SLUICE_GAUGE, "source_lag_bytes",
                     "Bytes that wait in standard input: what is left of a file, or what a pipe holds.")) {}

void StdinSource::start(std::chrono::milliseconds) {
  struct stat info {};
  if (::fstat(STDIN_FILENO, &info) != 0) {
    throw sluice::BadConfig("standard input is closed: give it a pipe, a file or /dev/null");
  }
  if (S_ISDIR(info.st_mode)) throw sluice::BadConfig("standard input is a directory: give it a file or a pipe");
  // A pipe has no position that would name a record again after a restart; a file has one.
  if (S_ISREG(info.st_mode)) {
    const off_t here = ::lseek(STDIN_FILENO, 0, SEEK_CUR);
    carried_at_ = here > 0 ? static_cast<std::uint64_t>(here) : 0;
    file_name_ = std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) + ":";
  }
}

StdinSource::Room StdinSource::room_for(sluice_writer& out) const {
  if (carried_.size() + kReadBytesMin <= out.bytes_cap) {
    return {reinterpret_cast<char*>(out.bytes), static_cast<std::size_t>(out.bytes_cap), nullptr};
  }
  const std::size_t cap = std::min(2 * carried_.size(), record_bytes_max_ + carried_.size()) + kReadBytesMin;
  auto own = std::make_unique<char[]>(cap + SLUICE_PADDING);
  char* bytes = own.get();
  return {bytes, cap, std::move(own)};
}

std::size_t StdinSource::read_some(char* to, std::size_t cap) {
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, to, cap);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) return eof_ = true, 0;
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    throw std::system_error(errno, std::generic_category(), "standard input cannot be read");
  }
}

sluice_status StdinSource::pull(sluice_writer& out) {
  if (stopped_ || (eof_ && carried_.empty())) return SLUICE_END;
  Room room = room_for(out);
  std::size_t size = carried_.size();
  std::copy(carried_.begin(), carried_.end(), room.bytes);
  if (!eof_ && !more_carried_ && readable_now(STDIN_FILENO)) {
    // Not much more than one pull can hand out: what is read beyond it is copied once more.
    const std::size_t wanted = static_cast<std::size_t>(out.cap) * record_bytes_ + kReadBytesMin;
    size += read_some(room.bytes + size, std::min(room.cap - size, std::max(wanted, size)));
  }
  const char* at = room.bytes;
  const char* const end = room.bytes + size;
  hand_out(out, at, end, room.bytes, room.own != nullptr);
  carry(at, end);
  carried_at_ += static_cast<std::uint64_t>(at - room.bytes);
  if (out.count == 0) {
    if (!eof_) return SLUICE_AGAIN;
    if (framer_.in_array()) host_.log(SLUICE_LOG_WARN, "standard input ended inside a JSON array: ']' is missing");
    return SLUICE_END;
  }
  if (room.own != nullptr) {
    out.release = [](void* memory) { delete[] static_cast<char*>(memory); };
    out.release_arg = room.own.release();
  } else {
    out.bytes_len = static_cast<std::uint64_t>(at - room.bytes);
  }
  return SLUICE_OK;
}

void StdinSource::hand_out(sluice_writer& out, const char*& at, const char* end, const char* base, bool lent) {
  positions_.resize(std::size_t{out.cap} * kPositionBytes);
  std::string_view text;
  const char* const from = at;
  while (out.count < out.cap && framer_.next(at, end, eof_, text) == Framer::Step::record) {
    sluice_record& record = *SLUICE_RECORD(&out, out.count);
    record.ptr = reinterpret_cast<const std::uint8_t*>(text.data());
    record.len = text.size();
    record.flags = lent ? SLUICE_PADDED : 0;
    record.tag = carried_at_ + static_cast<std::uint64_t>(text.data() - base);
    if (!file_name_.empty()) {
      char* position = positions_.data() + std::size_t{out.count} * kPositionBytes;
      char* tail = std::copy(file_name_.begin(), file_name_.end(), position);
      tail = std::to_chars(tail, position + kPositionBytes, record.tag).ptr;
      record.position = {position, static_cast<std::uint64_t>(tail - position)};
    }
    ++out.count;
  }
  more_carried_ = out.count == out.cap;
  if (out.count > 0) record_bytes_ = (7 * record_bytes_ + static_cast<std::uint64_t>(at - from) / out.count) / 8 + 1;
}

void StdinSource::carry(const char* at, const char* end) { carried_.assign(at, end); }

/// What is behind a pipe nobody can know: it holds 64 KiB, and its writer waits with the rest.
void StdinSource::show_lag() {
  if (host_.now_ns() < lag_at_ns_) return;
  lag_at_ns_ = host_.now_ns() + kLagEveryNs;
  std::uint64_t waiting = carried_.size();
  struct stat info {};
  int in_pipe = 0;
  if (!file_name_.empty() && ::fstat(STDIN_FILENO, &info) == 0) {
    waiting += static_cast<std::uint64_t>(std::max<off_t>(info.st_size - ::lseek(STDIN_FILENO, 0, SEEK_CUR), 0));
  } else if (::ioctl(STDIN_FILENO, FIONREAD, &in_pipe) == 0) {
    waiting += static_cast<std::uint64_t>(std::max(in_pipe, 0));
  }
  sluice::set(lag_, static_cast<double>(waiting));
}

sluice_status StdinSource::poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room) {
  show_lag();
  const bool wants_input = room > 0 && !stopped_;
  if (wants_input && (eof_ || more_carried_)) return SLUICE_OK;
  pollfd both[2] = {{wake_fd, POLLIN, 0}, {wants_input ? STDIN_FILENO : -1, POLLIN, 0}};
  (void)::poll(both, 2, static_cast<int>(timeout.count()));
  return SLUICE_OK;
}

}  // namespace stdio_plugin
