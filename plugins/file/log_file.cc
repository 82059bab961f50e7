#include "log_file.hh"

#include <sluice/host.h>
#include <sluice/cpp/guard.hh>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <limits>
#include <system_error>
#include <vector>

namespace file_plugin {
namespace {

constexpr std::uint64_t kTornBytesMax = 64 * 1024 * 1024;  // a longer "line" is no log of ours

std::string reason() { return std::strerror(errno); }

/// True when only a person can help: a folder in the way, no right to write, a file system that is read only.
bool needs_a_person(int error) {
  return error == EACCES || error == EPERM || error == EISDIR || error == ENOTDIR || error == EROFS ||
         error == ENAMETOOLONG || error == ELOOP || error == EINVAL;
}

/// The size up to and including the last newline.
std::uint64_t whole_lines(int fd, std::uint64_t size, const std::string& path) {
  std::vector<char> room(64 * 1024);
  for (std::uint64_t end = size; end > 0;) {
    const std::uint64_t from = end > room.size() ? end - room.size() : 0;
    const ssize_t got = ::pread(fd, room.data(), static_cast<std::size_t>(end - from), static_cast<off_t>(from));
    if (got != static_cast<ssize_t>(end - from)) throw sluice::Away(path + " cannot be read back: " + reason());
    for (std::uint64_t i = end - from; i > 0; --i) {
      if (room[i - 1] == '\n') return from + i;
    }
    if (size - from > kTornBytesMax) {
      throw sluice::BadConfig(path + " is not a log of lines: there is no newline in its last 64 MiB");
    }
    end = from;
  }
  return 0;
}

/// True when text is one whole JSON object: a line whose newline alone is missing.
bool is_whole_object(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) return i + 1 == text.size() && text.front() == '{';
    }
  }
  return false;
}

}  // namespace

void LogFile::open() {
  const auto folder = std::filesystem::path(options_.path).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) {
    const std::string text = options_.path + ": the folder cannot be made: " + error.message();
    if (needs_a_person(error.value()) || error.value() == EEXIST) throw sluice::BadConfig(text);
    throw sluice::Away(text);
  }
  open_file();
  repair();
}

void LogFile::open_file() {
  UniqueFd fd(::open(options_.path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644));
  if (!fd) {
    const std::string text = options_.path + " cannot be opened for writing: " + reason();
    if (needs_a_person(errno)) throw sluice::BadConfig(text);
    throw sluice::Away(text);
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw sluice::Away(options_.path + ": " + reason());
  if (!S_ISREG(info.st_mode)) throw sluice::BadConfig(options_.path + " is not a regular file");
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    throw sluice::Away(options_.path + " is being written by another process or node: give each a path of its own");
  }
  fd_ = std::move(fd);
  size_ = synced_size_ = static_cast<std::uint64_t>(info.st_size);
  torn_ = false;
  period_ = period_of(size_ == 0 ? std::chrono::system_clock::now()
                                 : std::chrono::system_clock::from_time_t(info.st_mtim.tv_sec));
}

void LogFile::repair() {
  const std::uint64_t whole = whole_lines(fd_.get(), size_, options_.path);
  if (whole == size_) return;
  std::string tail(static_cast<std::size_t>(size_ - whole), '\0');
  if (::pread(fd_.get(), tail.data(), tail.size(), static_cast<off_t>(whole)) != static_cast<ssize_t>(tail.size())) {
    throw sluice::Away(options_.path + " cannot be read back: " + reason());
  }
  if (is_whole_object(tail)) {
    std::vector<iovec> newline{{const_cast<char*>("\n"), 1}};
    append(newline, 1);
    say_(SLUICE_LOG_WARN, options_.path + ": the last line had no newline; added it");
    return;
  }
  const std::string kept = options_.path + ".torn";
  const UniqueFd out(::open(kept.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  tail += '\n';
  const bool saved = out && ::write(out.get(), tail.data(), tail.size()) == static_cast<ssize_t>(tail.size());
  if (!saved) throw sluice::Away(kept + " cannot be written: " + reason());
  take_back(whole);
  say_(SLUICE_LOG_WARN, options_.path + ": cut an unfinished last line of " + std::to_string(tail.size() - 1) +
                            " bytes at offset " + std::to_string(whole) + " (the end of a crash); it is kept in " +
                            kept);
}

void LogFile::take_back(std::uint64_t size) {
  torn_ = ::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0;
  size_ = size;
  synced_size_ = std::min(synced_size_, size_);
}

void LogFile::refresh() {
  struct stat named {
  }, open_one{};
  const bool there = ::stat(options_.path.c_str(), &named) == 0;
  if (::fstat(fd_.get(), &open_one) != 0) throw sluice::Away(options_.path + ": " + reason());
  if (!there || named.st_ino != open_one.st_ino || named.st_dev != open_one.st_dev) {
    say_(SLUICE_LOG_INFO, options_.path + " was moved away; beginning a new file");
    open();
  } else if (static_cast<std::uint64_t>(open_one.st_size) != size_ && !torn_) {
    say_(SLUICE_LOG_WARN, options_.path + " was changed by somebody else; going on at its end");
    size_ = synced_size_ = static_cast<std::uint64_t>(open_one.st_size);
    repair();
  }
  if (options_.rotate_every.count() > 0 && period_of(std::chrono::system_clock::now()) != period_) {
    if (size_ > 0) rotate();
    period_ = period_of(std::chrono::system_clock::now());
  }
}

std::uint64_t LogFile::room() const noexcept {
  if (options_.rotate_bytes == 0) return std::numeric_limits<std::uint64_t>::max();
  return options_.rotate_bytes > size_ ? options_.rotate_bytes - size_ : 0;
}

void LogFile::append(std::vector<iovec>& pieces, std::size_t bytes) {
  if (torn_) take_back(size_);
  if (torn_) throw sluice::Away(options_.path + " cannot be cut back to its last whole line: " + reason());
  for (std::size_t next = 0; next < pieces.size();) {
    const auto count = std::min<std::size_t>(pieces.size() - next, IOV_MAX);
    const ssize_t put = ::writev(fd_.get(), pieces.data() + next, static_cast<int>(count));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      const std::string text = options_.path + " cannot be written: " + reason();
      take_back(size_);
      throw sluice::Away(text);
    }
    for (auto done = static_cast<std::size_t>(put); done > 0;) {  // a write may end anywhere
      iovec& piece = pieces[next];
      const std::size_t part = std::min(done, piece.iov_len);
      piece.iov_base = static_cast<char*>(piece.iov_base) + part;
      piece.iov_len -= part;
      done -= part;
      if (piece.iov_len == 0) ++next;
    }
  }
  size_ += bytes;
}

void LogFile::sync(OnFailure on_failure) {
  if (synced_size_ == size_) return;
  if (::fdatasync(fd_.get()) != 0) {
    const std::string text = options_.path + " cannot be flushed to disk: " + reason();
    if (on_failure == OnFailure::take_back) take_back(synced_size_);
    throw sluice::Away(text);
  }
  synced_size_ = size_;
}

void LogFile::rotate() {
  const std::string old = free_name();
  if (::rename(options_.path.c_str(), old.c_str()) != 0) {
    throw sluice::Away(options_.path + " cannot be renamed to " + old + ": " + reason());
  }
  say_(SLUICE_LOG_INFO, options_.path + " is rotated to " + old);
  open_file();
  drop_old_files();
}

/// "events.jsonl.20261101T120000Z-001": names sort by age, so a number is not used again within its second.
std::string LogFile::free_name() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char stamp[32];
  std::strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
  if (stamp != last_stamp_) {
    last_stamp_ = stamp;
    last_number_ = 0;
  }
  for (;;) {
    std::string number = std::to_string(++last_number_);
    number.insert(0, number.size() < 3 ? 3 - number.size() : 0, '0');
    std::string name = options_.path + "." + stamp + "-" + number;
    if (!std::filesystem::exists(name)) return name;
  }
}

void LogFile::drop_old_files() {
  if (options_.keep == 0) return;
  const std::filesystem::path path(options_.path);
  const std::string start = path.filename().string() + ".2";
  std::vector<std::filesystem::path> rotated;
  std::error_code error;
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.compare(0, start.size(), start) == 0 && name.find("Z-") != std::string::npos)
      rotated.push_back(entry.path());
  }
  std::sort(rotated.begin(), rotated.end());
  for (std::size_t i = 0; i + options_.keep < rotated.size(); ++i) std::filesystem::remove(rotated[i], error);
}

std::int64_t LogFile::period_of(std::chrono::system_clock::time_point when) const {
  if (options_.rotate_every.count() == 0) return 0;
  return std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()) / options_.rotate_every;
}

}  // namespace file_plugin
