#include "edge/spool_files.hh"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace sluice {
namespace {

namespace fs = std::filesystem;

SpoolAnswer fault(const std::string& path, const char* what, int error = errno) {
  const bool no_room = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return {no_room ? SpoolFault::no_room : SpoolFault::broken,
          path + ": cannot " + what + ": " + std::generic_category().message(error)};
}

bool write_all(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::string read_small(const std::string& path) {
  const SpoolFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string bytes;
  char part[4096];
  for (;;) {
    const ssize_t got = file.is_open() ? ::read(file.fd(), part, sizeof part) : 0;
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return bytes;
    bytes.append(part, static_cast<std::size_t>(got));
  }
}

}  // namespace

void SpoolFile::close() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool list_segments(const std::string& folder, std::vector<SpoolFileFacts>& out, std::string& why) {
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::uint64_t first = 0;
    if (!read_segment_name(at->path().filename().string(), first)) continue;
    std::error_code gone;
    const std::uint64_t bytes = fs::file_size(at->path(), gone);
    if (!gone) out.push_back({first, bytes});
  }
  if (error) why = folder + ": " + error.message();
  std::ranges::sort(out, {}, &SpoolFileFacts::first);
  return !error;
}

// ---- opening ----

SpoolAnswer SpoolFiles::open(SpoolListing& out) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return {SpoolFault::broken, folder_ + ": cannot be made: " + error.message()};
  folder_file_ = SpoolFile(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder_file_.is_open()) return fault(folder_, "open the folder");
  if (SpoolAnswer answer = take_lock(); !answer.ok()) return answer;
  std::string why;
  if (!list_segments(folder_, out.segments, why)) return {SpoolFault::broken, why};
  out.cursor = read_small(folder_ + "/" + kSpoolCursorName);
  return open_rejected(out.rejected_bytes);
}

SpoolAnswer SpoolFiles::take_lock() {
  const std::string path = folder_ + "/" + kSpoolLockName;
  lock_ = SpoolFile(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock_.is_open()) return fault(path, "open");
  if (::flock(lock_.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fault(path, "lock");
    std::string owner = read_small(path);
    owner = owner.substr(0, owner.find('\n'));
    lock_.close();
    return {SpoolFault::broken, folder_ + ": is in use" + (owner.empty() ? "" : " by process " + owner) +
                                    "; stop that one, or give this spool a folder of its own"};
  }
  if (::ftruncate(lock_.fd(), 0) != 0 || !write_all(lock_.fd(), std::to_string(::getpid()) + "\n")) {
    return fault(path, "write");
  }
  return {};
}

SpoolAnswer SpoolFiles::open_rejected(std::uint64_t& bytes) {
  const std::string path = folder_ + "/" + kSpoolRejectedName;
  rejected_ = SpoolFile(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (!rejected_.is_open()) return fault(path, "open");
  const off_t size = ::lseek(rejected_.fd(), 0, SEEK_END);
  bytes = static_cast<std::uint64_t>(std::max<off_t>(size, 0));
  char last = '\n';
  // A line that a crash tore must not swallow the next one; its event is in the spool still.
  if (size > 0 && ::pread(rejected_.fd(), &last, 1, size - 1) == 1 && last != '\n' &&
      !write_all(rejected_.fd(), "\n")) {
    return fault(path, "write");
  }
  return {};
}

/// Its bytes are written before they are mapped: a store into a hole of the file would end the process on a full disk.
UnderWay* SpoolFiles::under_way() noexcept {
  if (under_way_ != nullptr || !folder_file_.is_open()) return under_way_;
  const SpoolFile file(::openat(folder_file_.fd(), kUnderWayName, O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file.is_open()) return nullptr;
  char bytes[sizeof(UnderWay)] = {};
  if (::pread(file.fd(), bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) {
    std::fill_n(bytes, sizeof bytes, '\0');
  }
  if (::pwrite(file.fd(), bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) return nullptr;
  void* page = ::mmap(nullptr, sizeof(UnderWay), PROT_READ | PROT_WRITE, MAP_SHARED, file.fd(), 0);
  if (page != MAP_FAILED) under_way_ = static_cast<UnderWay*>(page);
  return under_way_;
}

void SpoolFiles::close() noexcept {
  if (under_way_ != nullptr) ::munmap(std::exchange(under_way_, nullptr), sizeof(UnderWay));
  newest_.close();
  reading_.close();
  rejected_.close();
  folder_file_.close();
  if (lock_.is_open()) (void)!::ftruncate(lock_.fd(), 0);
  lock_.close();
}

// ---- segments ----

SpoolAnswer SpoolFiles::create(std::uint64_t first) {
  const std::string path = path_of(first);
  SpoolFile file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644));
  if (!file.is_open()) return fault(path, "make");
  newest_ = std::move(file);
  newest_first_ = first;
  folder_changed_ = true;
  return {};
}

SpoolAnswer SpoolFiles::append(std::string_view bytes) {
  if (!write_all(newest_.fd(), bytes)) return fault(path_of(newest_first_), "write");
  return {};
}

SpoolAnswer SpoolFiles::sync() {
  if (::fdatasync(newest_.fd()) != 0) return fault(path_of(newest_first_), "flush to disk");
  if (!folder_changed_) return {};
  if (::fsync(folder_file_.fd()) != 0) return fault(folder_, "flush to disk");
  folder_changed_ = false;
  return {};
}

std::int64_t SpoolFiles::read(std::uint64_t first, std::uint64_t offset, char* into, std::size_t size) {
  int fd = newest_.fd();
  if (first != newest_first_ || fd < 0) {
    if (!reading_.is_open() || reading_first_ != first) {
      reading_ = SpoolFile(::open(path_of(first).c_str(), O_RDONLY | O_CLOEXEC));
      reading_first_ = first;
    }
    fd = reading_.fd();
  }
  if (fd < 0) return -1;
  for (;;) {
    const ssize_t got = ::pread(fd, into, size, static_cast<off_t>(offset));
    if (got >= 0 || errno != EINTR) return got;
  }
}

SpoolAnswer SpoolFiles::cut(std::uint64_t first, std::uint64_t bytes, bool keep_tail) {
  if (keep_tail) {
    if (SpoolAnswer answer = keep_tail_of(first, bytes); !answer.ok()) return answer;
  }
  const std::string path = path_of(first);
  const SpoolFile file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.is_open() || ::ftruncate(file.fd(), static_cast<off_t>(bytes)) != 0) return fault(path, "cut");
  if (keep_tail && ::fdatasync(file.fd()) != 0) return fault(path, "flush to disk");
  return {};
}

SpoolAnswer SpoolFiles::keep_tail_of(std::uint64_t first, std::uint64_t from) {
  const std::string path = path_of(first) + ".torn";
  const SpoolFile to(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!to.is_open()) return fault(path, "make");
  char part[64 * 1024];
  for (std::uint64_t at = from;;) {
    const std::int64_t got = read(first, at, part, sizeof part);
    if (got < 0) return fault(path_of(first), "read");
    if (got == 0) return {};
    if (!write_all(to.fd(), {part, static_cast<std::size_t>(got)})) return fault(path, "write");
    at += static_cast<std::uint64_t>(got);
  }
}

void SpoolFiles::forget(std::uint64_t first) {
  if (reading_first_ == first) reading_.close();
  if (newest_first_ == first) newest_.close();
}

SpoolAnswer SpoolFiles::remove(std::uint64_t first) {
  const std::string path = path_of(first);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fault(path, "remove");
  forget(first);
  return {};
}

SpoolAnswer SpoolFiles::set_aside(std::uint64_t first) {
  const std::string path = path_of(first);
  if (::rename(path.c_str(), (path + ".corrupt").c_str()) != 0) return fault(path, "rename");
  forget(first);
  return {};
}

// ---- beside the segments ----

SpoolAnswer SpoolFiles::write_cursor(std::string_view bytes, bool durable) {
  const std::string path = folder_ + "/" + kSpoolCursorName;
  const std::string fresh = path + ".new";
  const SpoolFile file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file.is_open() || !write_all(file.fd(), bytes)) return fault(fresh, "write");
  if (durable && ::fdatasync(file.fd()) != 0) return fault(fresh, "flush to disk");
  if (::rename(fresh.c_str(), path.c_str()) != 0) return fault(path, "replace");
  if (durable && ::fsync(folder_file_.fd()) != 0) return fault(folder_, "flush to disk");
  return {};
}

SpoolAnswer SpoolFiles::add_rejected(std::string_view line) {
  const std::string path = folder_ + "/" + kSpoolRejectedName;
  const off_t before = ::lseek(rejected_.fd(), 0, SEEK_END);
  if (write_all(rejected_.fd(), line) && ::fdatasync(rejected_.fd()) == 0) return {};
  SpoolAnswer answer = fault(path, "write");
  (void)!::ftruncate(rejected_.fd(), before);  // it comes again whole
  return answer;
}

}  // namespace sluice
