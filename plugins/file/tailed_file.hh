// One file that is being read: from its opening until it is rotated away, truncated or read to its end. A truncated
// file is a new TailedFile from its first byte, so that what was handed out of the old one keeps its meaning.
//
// Lines are read straight into the host's memory and handed out from there. The end of a read that is not a whole line
// is read again with the next one: cheaper than keeping it. A line longer than the host's room for one pull is gathered
// in memory of its own, up to max_line_bytes; of a longer one that much is handed on, for the host to reject.
#pragma once

#include "checkpoint.hh"
#include "reader.hh"

#include <sluice/writer.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace file_plugin {

class TailedFile {
 public:
  /// Throws std::system_error when it cannot be opened or is not a file.
  TailedFile(const std::string& path, std::size_t line_bytes_max);
  /// The same file from its first byte, after it was truncated.
  [[nodiscard]] std::unique_ptr<TailedFile> from_the_beginning() const;

  /// Where the first bytes are the ones of the entry, goes on at its offset; else says why not and stays at the start.
  enum class Resumed : std::uint8_t { yes, other_file, truncated };
  Resumed resume(const CheckpointEntry& entry);
  void skip_to_end();

  /// Hands out lines. `last`: a last line without a newline counts as one. Returns false when there was nothing.
  bool read(sluice_writer& out, bool last, std::uint64_t tag_bits, std::vector<char>& positions);
  /// Nothing more to hand out before the file grows.
  [[nodiscard]] bool idle() const noexcept { return idle_; }
  void sleep() noexcept { idle_ = true; }
  void wake() noexcept { idle_ = false; }
  /// Looks at the file on disk: wakes up when it has grown. False when it was truncated or replaced in place.
  [[nodiscard]] bool still_the_same();

  enum class Settled : std::uint8_t { done, refused, came_back };
  /// One handed-out line is final. Lines settle in the order they were handed out.
  void settled(std::uint64_t end_offset, Settled how) noexcept;
  /// A halt refused lines. While nobody knows whether the whole graph stops for it, the settled offset stays before the
  /// first of them, so that a restart still has them; asked for more lines, the graph goes on, and they were answered.
  void pass_refused() noexcept;
  [[nodiscard]] std::uint64_t in_flight() const noexcept { return in_flight_; }
  /// A line came back undelivered: nothing is handed out until rewind() goes back to it.
  [[nodiscard]] bool came_back() const noexcept { return came_back_; }
  void rewind();

  [[nodiscard]] CheckpointEntry entry(std::int64_t now_s);
  [[nodiscard]] std::uint64_t settled_offset() const noexcept { return settled_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  void renamed(const std::string& path) { path_ = path; }
  [[nodiscard]] std::uint64_t device() const noexcept { return device_; }
  [[nodiscard]] std::uint64_t inode() const noexcept { return inode_; }
  [[nodiscard]] std::string_view error() const noexcept { return reader_->error(); }
  [[nodiscard]] bool compressed() const noexcept { return !reader_->size_counts(); }
  /// Of the file on disk; nothing for a compressed one.
  [[nodiscard]] std::optional<std::uint64_t> size_now() const noexcept;
  [[nodiscard]] std::uint64_t cut_lines() const noexcept { return cut_lines_; }

  /// Tags carry the offset behind a line in these low bits; the rest is the source's own.
  static constexpr std::uint64_t kOffsetBits = 48;
  static constexpr std::uint64_t kOffsetMask = (std::uint64_t{1} << kOffsetBits) - 1;
  static constexpr std::size_t kPositionBytes = 64;

  // Kept by the source.
  bool ending = false;                // its writer has gone: a last line without a newline counts
  bool replaced = false;              // truncated: a new TailedFile reads the same file from its beginning
  bool gone = false;                  // its name is not there any more
  std::uint64_t gone_ns = 0;          // since when
  const TailedFile* after = nullptr;  // the file that had this name before: it is read first
  std::uint32_t rewinds = 0;          // in a row, without progress
  std::uint64_t rewind_at_ns = 0;

 private:
  TailedFile(std::string path, UniqueFd fd, std::size_t line_bytes_max);
  struct Handout;
  bool read_lines(Handout& to, bool last);
  bool gather_long_line(Handout& to, bool last);
  void name_generation(std::string_view first_bytes);
  [[nodiscard]] Fingerprint fingerprint_now(std::uint32_t bytes) const;

  std::string path_;
  UniqueFd fd_;
  std::uint64_t device_ = 0, inode_ = 0;
  std::unique_ptr<Reader> reader_;
  const std::size_t line_bytes_max_;
  std::string prefix_;               // of positions: "inode:hash of the first line:"
  std::uint64_t offset_ = 0;         // of the next line to hand out
  std::uint64_t settled_ = 0;        // everything before it is final
  std::uint64_t in_flight_ = 0;      // lines handed out and not final
  std::uint64_t line_bytes_ = 1024;  // a running mean: how much to read for one pull
  std::uint64_t size_seen_ = 0;
  std::int64_t written_seen_ns_ = 0;
  bool idle_ = false;
  bool came_back_ = false;
  bool refused_ = false;
  std::uint64_t refused_to_ = 0;  // what settled_ becomes when the graph goes on
  std::vector<char> long_line_;   // the beginning of a line that did not fit
  std::uint64_t looked_to_ = 0;   // no newline between offset_ and here; 0: not in a long line
  Fingerprint fingerprint_;
  std::uint64_t cut_lines_ = 0;
};

}  // namespace file_plugin
