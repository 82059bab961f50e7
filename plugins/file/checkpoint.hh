// How far each file is settled, as text. Pure: no I/O.
//
//   sluice file checkpoint 1
//   <inode> <offset> <fingerprint bytes> <fingerprint> <last seen, Unix seconds> <path>
//   end <how many>
//
// A file is known again by its inode and by a fingerprint of its first bytes: inodes are used again for other files,
// and a truncated file keeps its inode. The last line proves that the text is whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace file_plugin {

struct Fingerprint {
  static constexpr std::uint32_t kBytesMax = 1024;
  std::uint32_t bytes = 0;  // how many of the file's first bytes it covers
  std::uint64_t hash = 0;

  bool operator==(const Fingerprint&) const = default;
};

[[nodiscard]] std::uint64_t hash_bytes(std::string_view bytes) noexcept;

struct CheckpointEntry {
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;
  Fingerprint fingerprint;
  std::int64_t seen_s = 0;
  std::string path;

  bool operator==(const CheckpointEntry&) const = default;
};

[[nodiscard]] std::string print_checkpoint(const std::vector<CheckpointEntry>& entries);
/// Throws std::runtime_error with the line and what is wrong there.
[[nodiscard]] std::vector<CheckpointEntry> parse_checkpoint(std::string_view text);

}  // namespace file_plugin
