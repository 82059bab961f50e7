// A state that survives kill -9 at any moment: a file with a snapshot of it, followed by one line per change. Consumers
// that count or remember append their changes before a batch goes on, and read them back when they start.
//
//   sluice::JournalFile file(path, {.header = "sluice counting state 1\n"});
//   file.open(state);            // bool state.replay(std::string_view line): each line; std::string state.snapshot()
//   file.append(lines, state);   // whole lines, each with its '\n'; before SLUICE_OK is answered
//
// The file is written anew, beside itself and renamed, when it is opened, when it has grown to several times what it
// says, and after an append that failed. One owner at a time. Not for several threads at once.
#pragma once

#include "guard.hh"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace sluice {

struct JournalFormat {
  std::string_view header;             // the first line, with its '\n': what file this is, and of which version
  std::string_view older_header = {};  // read as well, as long as the other one: an older version of the same lines
  const char* cure = "to begin anew";  // "damaged line: move the file away <cure>"
  std::uint64_t growth_bytes_min = 1024 * 1024;  // it grows by this much at least before it is written anew
  mode_t mode = 0644;
  bool sync = false;  // true: what append() has returned from survives a power cut too; else the end of the process
};

class JournalFile {
 public:
  /// An empty path: nothing is kept.
  JournalFile(std::string path, const JournalFormat& format) : path_(std::move(path)), format_(format) {}
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;
  ~JournalFile() {
    if (fd_ >= 0) ::close(fd_);
  }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// Takes the lock and replays what is there; half a last line is left out, nobody was told that it is safe. Throws
  /// Away when another process holds it, BadConfig when the file is not one of these or cannot be used.
  template <class State>
  void open(State& state) {
    if (path_.empty()) return;
    open_and_lock();
    std::ifstream in(path_, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    std::string_view rest = without_header(text);
    for (std::size_t number = 2; !rest.empty(); ++number) {
      const std::size_t end = rest.find('\n');
      if (end == std::string_view::npos) break;
      if (!state.replay(rest.substr(0, end))) {
        throw BadConfig("state " + path_ + ":" + std::to_string(number) + ": damaged line: move the file away " +
                        format_.cure);
      }
      rest.remove_prefix(end + 1);
    }
    write_anew(state.snapshot());
  }

  /// `lines` say what changed, `state` is how it is now; before open() nothing is kept. Throws std::system_error; what
  /// could not be appended is made good by the next success.
  template <class State>
  void append(std::string_view lines, const State& state) {
    if (fd_ < 0 || (lines.empty() && !behind_)) return;
    if (behind_ || bytes_ > 3 * snapshot_bytes_ + format_.growth_bytes_min) return write_anew(state.snapshot());
    behind_ = true;
    write_all(fd_, lines, path_);
    behind_ = false;
    bytes_ += lines.size();
  }

 private:
  [[noreturn]] static void fail(const std::string& path) {
    throw std::system_error(errno, std::generic_category(), path);
  }

  void open_and_lock() {
    std::error_code ignored;  // what is wrong with the folder is said by open()
    const auto folder = std::filesystem::path(path_).parent_path();
    if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
    if (fd_ >= 0) ::close(fd_);
    fd_ = ::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, format_.mode);
    if (fd_ < 0) throw BadConfig("state " + path_ + " cannot be opened for writing: " + std::strerror(errno));
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
    throw Away("state " + path_ + " is in use by another process or node: give each a file of its own");
  }

  [[nodiscard]] std::string_view without_header(std::string_view text) const {
    const std::string_view header = format_.header;
    const bool is_older = !format_.older_header.empty() && text.starts_with(format_.older_header);
    const bool is_torn = header.starts_with(text);  // killed before its first line was whole; or empty
    if (!is_older && !is_torn && !text.starts_with(header)) {
      throw BadConfig("state " + path_ + " is not a state file of this program: give another path");
    }
    text.remove_prefix(std::min(is_older ? format_.older_header.size() : header.size(), text.size()));
    return text;
  }

  void write_all(int fd, std::string_view text, const std::string& path) const {
    while (!text.empty()) {
      const ssize_t put = ::write(fd, text.data(), text.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) fail(path);
      text.remove_prefix(static_cast<std::size_t>(put));
    }
    if (format_.sync && ::fdatasync(fd) != 0) fail(path);
  }

  void write_anew(const std::string& snapshot) {
    behind_ = true;
    const std::string text = std::string(format_.header) + snapshot;
    const std::string beside = path_ + ".new";
    const int fd = ::open(beside.c_str(), O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, format_.mode);
    if (fd < 0) fail(beside);
    try {
      write_all(fd, text, beside);
      (void)::flock(fd, LOCK_EX | LOCK_NB);
      if (::rename(beside.c_str(), path_.c_str()) != 0) fail(path_);
      if (format_.sync) sync_folder();
    } catch (...) {
      ::close(fd);
      (void)::unlink(beside.c_str());  // half a file would only take room from others on a full disk
      throw;
    }
    ::close(fd_);
    fd_ = fd;
    bytes_ = snapshot_bytes_ = text.size();
    behind_ = false;
  }

  void sync_folder() const {
    const std::string folder = std::filesystem::path(path_).parent_path();
    const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)::fsync(fd);
    ::close(fd);
  }

  const std::string path_;
  const JournalFormat format_;
  int fd_ = -1;
  std::uint64_t bytes_ = 0, snapshot_bytes_ = 0;
  bool behind_ = false;  // an append failed: the file is written anew next time
};

}  // namespace sluice
