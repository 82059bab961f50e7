// The ids of the events counted last, so that an event that comes again is not counted twice. Fixed memory, no
// allocation per event: a ring of hashes and an open-addressed table of places in it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace validation {

/// 128 bits of a CloudEvents identity (source and id): two events share it once in 2^64 or so.
struct IdHash {
  std::uint64_t high = 0, low = 0;
  bool operator==(const IdHash&) const = default;
};
[[nodiscard]] IdHash hash_identity(std::string_view source, std::string_view id) noexcept;

class IdWindow {
 public:
  static constexpr std::uint32_t kIdsMax = 65'536;

  [[nodiscard]] bool contains(const IdHash& id) const noexcept;
  /// Forgets the oldest when it is full. Requires: not contained.
  void add(const IdHash& id);
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  /// By age, 0 being the oldest.
  [[nodiscard]] const IdHash& operator[](std::uint32_t i) const noexcept { return ring_[(first_ + i) % kIdsMax]; }

 private:
  static constexpr std::uint32_t kPlaces = 2 * kIdsMax;
  [[nodiscard]] std::uint32_t find(const IdHash& id) const noexcept;  // its place in the table, or the free one
  void remove_oldest() noexcept;

  std::unique_ptr<IdHash[]> ring_;          // made with the first id
  std::unique_ptr<std::uint32_t[]> table_;  // index into the ring plus one; 0 = free
  std::uint32_t first_ = 0, size_ = 0;
};

}  // namespace validation
