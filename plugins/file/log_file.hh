// The file behind an event log: whole lines only, appended in large writes, rolled back when a write fails half-way,
// repaired when a crash left half a line, rotated by size and time, locked against a second writer.
#pragma once

#include "unique_fd.hh"

#include <sys/uio.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace file_plugin {

struct LogFileOptions {
  std::string path;
  std::uint64_t rotate_bytes = 0;             // 0: never
  std::chrono::milliseconds rotate_every{0};  // 0: never
  std::uint32_t keep = 0;                     // 0: all
};

class LogFile {
 public:
  using Say = std::function<void(std::int32_t level, const std::string&)>;
  LogFile(LogFileOptions options, Say say) : options_(std::move(options)), say_(std::move(say)) {}

  /// Makes missing folders, takes the lock, repairs the end. Throws sluice::BadConfig where only a person can help,
  /// sluice::Away where waiting can.
  void open();
  [[nodiscard]] bool is_open() const noexcept { return static_cast<bool>(fd_); }

  /// Call before lines are gathered for a write: notices a file that was moved away, and rotates by time.
  void refresh();
  /// Bytes that may still be appended before the file must be rotated.
  [[nodiscard]] std::uint64_t room() const noexcept;
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// Appends whole lines, given in pieces of `bytes` together, or nothing. Throws sluice::Away. Changes the pieces.
  void append(std::vector<iovec>& pieces, std::size_t bytes);
  /// What becomes of the lines since the last sync when the disk refuses them. Only lines that nobody was told about
  /// yet may be taken back.
  enum class OnFailure : std::uint8_t { keep, take_back };
  /// Flushes to disk what was appended. Throws sluice::Away.
  void sync(OnFailure on_failure);
  void rotate();

 private:
  void open_file();
  void repair();
  void take_back(std::uint64_t size);
  void drop_old_files();
  [[nodiscard]] std::string free_name();
  [[nodiscard]] std::int64_t period_of(std::chrono::system_clock::time_point when) const;

  LogFileOptions options_;
  Say say_;
  UniqueFd fd_;
  std::string last_stamp_;  // of the newest rotated name
  std::uint32_t last_number_ = 0;
  std::uint64_t size_ = 0;         // whole lines only
  std::uint64_t synced_size_ = 0;  // of them on disk
  std::int64_t period_ = 0;        // rotate_every: the one this file belongs to
  bool torn_ = false;              // half a line stands behind size_: it must go before the next append
};

}  // namespace file_plugin
