// Bytes of one file by offset: as they stand, or inflated. Offsets are those of the inflated bytes.
#pragma once

#include "unique_fd.hh"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace file_plugin {

class Reader {
 public:
  virtual ~Reader() = default;
  /// Up to cap bytes from offset; 0 when there is none now. Throws std::system_error.
  [[nodiscard]] virtual std::size_t read_at(char* to, std::size_t cap, std::uint64_t offset) = 0;
  /// After a read that brought less than asked for: false when the same call again would bring more (it bounds its
  /// work), true when the file has no more now.
  [[nodiscard]] virtual bool at_end() const noexcept = 0;
  /// True when the size of the file on disk says how many bytes there are to read.
  [[nodiscard]] virtual bool size_counts() const noexcept = 0;
  /// Why nothing more can be read, in words for people; empty while all is well.
  [[nodiscard]] virtual std::string_view error() const noexcept { return {}; }
};

[[nodiscard]] std::unique_ptr<Reader> make_plain_reader(int fd);
/// Keeps its own duplicate of fd.
[[nodiscard]] std::unique_ptr<Reader> make_gz_reader(int fd);
/// Looks at the first bytes.
[[nodiscard]] bool is_gz(int fd);

}  // namespace file_plugin
