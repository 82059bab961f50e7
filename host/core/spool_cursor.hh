// How far a spool is: the lowest record that is not completed, and what is completed above it. Kept as ranges, so that
// one record that nobody wants costs a few bytes however much has passed it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

class SpoolCursor {
 public:
  struct Range {
    std::uint64_t from = 0, to = 0;  // [from, to)
  };

  explicit SpoolCursor(std::uint64_t low = 1) noexcept : low_(low) {}

  /// Everything below is completed; it is not.
  [[nodiscard]] std::uint64_t low() const noexcept { return low_; }
  /// Completed ranges above low(), in order, none touching the next.
  [[nodiscard]] const std::vector<Range>& above() const noexcept { return above_; }
  [[nodiscard]] bool is_completed(std::uint64_t record) const noexcept;
  /// All of [from, to).
  [[nodiscard]] bool are_completed(std::uint64_t from, std::uint64_t to) const noexcept;
  /// The first record from `record` on that is not completed.
  [[nodiscard]] std::uint64_t next_open(std::uint64_t record) const noexcept;
  /// One behind the highest record that is completed.
  [[nodiscard]] std::uint64_t end() const noexcept { return above_.empty() ? low_ : above_.back().to; }
  /// How many below `end`, which is end() or higher, are not.
  [[nodiscard]] std::uint64_t open_below(std::uint64_t end) const noexcept { return end - low_ - above_count_; }
  /// How many of [from, to) are not.
  [[nodiscard]] std::uint64_t open_in(std::uint64_t from, std::uint64_t to) const noexcept;

  /// Completing what is completed changes nothing.
  void complete(std::uint64_t from, std::uint64_t to);

  /// For the file that survives a crash, with a checksum.
  [[nodiscard]] std::string encode() const;
  /// False when the bytes are not what encode() wrote, whole.
  [[nodiscard]] static bool decode(std::string_view bytes, SpoolCursor& out);

 private:
  std::uint64_t low_;
  std::vector<Range> above_;
  std::uint64_t above_count_ = 0;  // records in them
};

}  // namespace sluice
