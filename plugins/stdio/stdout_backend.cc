#include "stdout_backend.hh"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

namespace stdio_plugin {
namespace {

constexpr std::size_t kBufferBytesMax = 1024 * 1024;
constexpr int kFullRetryMs = 500;
constexpr const char* kGone = "standard output was closed by its reader";

/// A descriptor that does not block, without changing the one that is shared with whoever started us.
int open_without_blocking(bool& may_block) {
  struct stat info {};
  if (::fstat(STDOUT_FILENO, &info) != 0) throw sluice::BadConfig("standard output is closed");
  may_block = false;
  if (S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode)) {
    const int fd = ::open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0) return fd;
  }
  may_block = !S_ISREG(info.st_mode);
  return ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
}

}  // namespace

StdoutBackend::StdoutBackend(sluice::HostView host, sluice::ConfigView config)
    : host_(host), format_(sluice::envelope_named(config.text("format")).value_or(sluice::Envelope::cloudevents)) {}

StdoutBackend::~StdoutBackend() {
  if (fd_ >= 0) ::close(fd_);
}

void StdoutBackend::start(std::chrono::milliseconds) {
  if (fd_ < 0) fd_ = open_without_blocking(may_block_);
}

sluice_status StdoutBackend::publish(sluice::BatchView batch, std::uint32_t& taken) {
  if (gone_) throw std::runtime_error(kGone);
  if (full_) {
    write_some();
    if (full_) throw sluice::Away("standard output: no space left on the device");
  }
  for (const sluice::EventView event : batch) {
    if (buffer_.size() >= kBufferBytesMax) break;
    sluice::append_line(event, format_, buffer_);
    lines_.push_back({batch.ticket() + taken, buffer_.size()});
    ++taken;
  }
  write_some();
  return SLUICE_OK;
}

void StdoutBackend::write_some() {
  while (!gone_ && written_ < buffer_.size()) {
    if (may_block_) {
      pollfd out{fd_, POLLOUT, 0};
      if (::poll(&out, 1, 0) <= 0) break;
    }
    const std::size_t left = buffer_.size() - written_;
    const ssize_t put =
        ::write(fd_, buffer_.data() + written_, may_block_ ? std::min<std::size_t>(left, PIPE_BUF) : left);
    if (put >= 0) {
      written_ += static_cast<std::size_t>(put);
      full_ = false;
    } else if (errno == ENOSPC || errno == EDQUOT) {
      if (!full_) host_.log(SLUICE_LOG_ERROR, "standard output: no space left on the device; waiting for room");
      full_ = true;
      break;
    } else if (errno != EINTR) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      gone_ = true;
      host_.log(SLUICE_LOG_ERROR,
                errno == EPIPE ? std::string(kGone) : "standard output: " + std::string(std::strerror(errno)));
    }
  }
  complete_written();
}

void StdoutBackend::complete_written() {
  std::uint32_t count = 0;
  while (count < lines_.size() && lines_[count].end <= written_) ++count;
  if (count > 0) {
    // Tickets rise by one per event taken, so what is complete is one range.
    const std::uint64_t first = lines_.front().ticket;
    lines_.erase(lines_.begin(), lines_.begin() + count);
    if (lines_.empty()) {
      buffer_.clear();
      written_ = 0;
    }
    host_.complete(first, count);
  }
  if (gone_) cancel_all(kGone);
}

void StdoutBackend::cancel_all(const char* reason) {
  if (!lines_.empty()) {
    host_.complete(lines_.front().ticket, static_cast<std::uint32_t>(lines_.size()), SLUICE_CANCELLED, reason);
  }
  lines_.clear();
  buffer_.clear();
  written_ = 0;
}

sluice_status StdoutBackend::poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t) {
  if (gone_) throw std::runtime_error(kGone);
  if (!lines_.empty()) write_some();
  const bool waiting = !lines_.empty();
  int wait_ms = static_cast<int>(timeout.count());
  if (full_ && (wait_ms < 0 || wait_ms > kFullRetryMs)) wait_ms = kFullRetryMs;
  pollfd both[2] = {{wake_fd, POLLIN, 0}, {waiting && !full_ ? fd_ : -1, POLLOUT, 0}};
  (void)::poll(both, 2, wait_ms);
  if (waiting) write_some();
  return SLUICE_OK;
}

void StdoutBackend::stop(std::chrono::milliseconds) {
  if (!gone_) write_some();
  cancel_all("the host is stopping and the reader of standard output did not keep up");
}

}  // namespace stdio_plugin
