// A spool in a folder of its own:
//
//   00000000000000000001.seg …     the segments (core/spool_format.hh)
//   cursor                         how far it is; replaced whole
//   rejected.jsonl                 events that the far side refused for good, a line each, with the reason
//   underway                       what an observer is shown right now (core/under_way.hh), of its queue only
//   lock                           who has it open: one process at a time
//   *.seg.corrupt, *.seg.torn      what was damaged, kept for people; no part of the spool
//
// Threads: one spool lane.
#pragma once

#include "core/spool_store.hh"

#include <string>
#include <utility>
#include <vector>

namespace sluice {

/// An open file that closes itself.
class SpoolFile {
 public:
  SpoolFile() = default;
  explicit SpoolFile(int fd) noexcept : fd_(fd) {}
  SpoolFile(SpoolFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  SpoolFile& operator=(SpoolFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~SpoolFile() { close(); }
  void close() noexcept;
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

inline constexpr const char* kSpoolCursorName = "cursor";
inline constexpr const char* kSpoolRejectedName = "rejected.jsonl";
inline constexpr const char* kSpoolLockName = "lock";
inline constexpr const char* kUnderWayName = "underway";

/// The segments in a folder, by number. False when it cannot be read.
[[nodiscard]] bool list_segments(const std::string& folder, std::vector<SpoolFileFacts>& out, std::string& why);

class SpoolFiles final : public SpoolStore {
 public:
  /// The folder is made when it is opened; its parents as well.
  explicit SpoolFiles(std::string folder) : folder_(std::move(folder)) {}
  ~SpoolFiles() override { SpoolFiles::close(); }

  [[nodiscard]] SpoolAnswer open(SpoolListing& out) override;
  [[nodiscard]] std::string place() const override { return folder_; }
  [[nodiscard]] SpoolAnswer create(std::uint64_t first) override;
  [[nodiscard]] SpoolAnswer append(std::string_view bytes) override;
  [[nodiscard]] SpoolAnswer sync() override;
  [[nodiscard]] std::int64_t read(std::uint64_t first, std::uint64_t offset, char* into, std::size_t size) override;
  [[nodiscard]] SpoolAnswer cut(std::uint64_t first, std::uint64_t bytes, bool keep_tail) override;
  [[nodiscard]] SpoolAnswer remove(std::uint64_t first) override;
  [[nodiscard]] SpoolAnswer set_aside(std::uint64_t first) override;
  [[nodiscard]] SpoolAnswer write_cursor(std::string_view bytes, bool durable) override;
  [[nodiscard]] SpoolAnswer add_rejected(std::string_view line) override;
  [[nodiscard]] UnderWay* under_way() noexcept override;
  void close() noexcept override;

 private:
  [[nodiscard]] std::string path_of(std::uint64_t first) const { return folder_ + "/" + segment_name(first); }
  [[nodiscard]] SpoolAnswer take_lock();
  [[nodiscard]] SpoolAnswer open_rejected(std::uint64_t& bytes);
  [[nodiscard]] SpoolAnswer keep_tail_of(std::uint64_t first, std::uint64_t from);
  void forget(std::uint64_t first);

  const std::string folder_;
  SpoolFile folder_file_, lock_, newest_, reading_, rejected_;
  std::uint64_t newest_first_ = 0, reading_first_ = 0;
  UnderWay* under_way_ = nullptr;  // mapped
  bool folder_changed_ = false;    // a segment's name is not durable yet
};

}  // namespace sluice
