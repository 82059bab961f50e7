// The ids of the events counted last, so that an event that comes again is not counted twice. Fixed memory, no
// allocation per event. Pure.
//
// Two generations: ids go into the current one; when it is full, the older one is emptied and takes its place. Nothing
// is ever removed one by one, and what is remembered are the newest kIdsMin ids at least and twice as many at most. A
// generation is a list of ids by age and an open-addressed table of four bytes per place (part of the id's hash and its
// place in the list), so that asking for an unknown id touches a cache line per generation and no id at all.
#pragma once

#include <array>
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
  static constexpr std::uint32_t kIdsMin = 65'536;       // the newest so many are always remembered
  static constexpr std::uint32_t kIdsMax = 2 * kIdsMin;  // and never more than these

  [[nodiscard]] bool contains(const IdHash& id) const noexcept {
    return current().contains(id) || generations_[1 - current_].contains(id);
  }
  /// Forgets the older half when it is full. Requires: not contained.
  void add(const IdHash& id);
  /// Asks the memory for what contains() and add() of this id will touch.
  void prefetch(const IdHash& id) const noexcept {
    for (const Generation& one : generations_) one.prefetch(id);
  }
  [[nodiscard]] std::uint32_t size() const noexcept { return generations_[0].size + generations_[1].size; }
  /// By age, 0 being the oldest.
  [[nodiscard]] const IdHash& operator[](std::uint32_t i) const noexcept {
    const Generation& older = generations_[1 - current_];
    return i < older.size ? older.ids[i] : current().ids[i - older.size];
  }

 private:
  struct Generation {
    static constexpr std::uint32_t kPlaces = 2 * kIdsMin;
    std::unique_ptr<IdHash[]> ids;           // by age; made with the first id
    std::unique_ptr<std::uint32_t[]> table;  // 0 = free, else an entry
    std::uint32_t size = 0;

    /// Never 0: the highest bit says that the place is taken, 15 bits of the hash follow, then the place in the list.
    static std::uint32_t entry_of(const IdHash& id, std::uint32_t at) noexcept {
      return 0x80000000u | (static_cast<std::uint32_t>(id.high >> 32) & 0x7fff0000u) | at;
    }
    static std::uint32_t home_of(const IdHash& id) noexcept { return static_cast<std::uint32_t>(id.low) % kPlaces; }
    [[nodiscard]] bool contains(const IdHash& id) const noexcept {
      if (size == 0) return false;
      const std::uint32_t wanted = entry_of(id, 0);
      for (std::uint32_t place = home_of(id); table[place] != 0; place = (place + 1) % kPlaces) {
        if ((table[place] & 0xffff0000u) == wanted && ids[table[place] & 0xffffu] == id) return true;
      }
      return false;
    }
    void prefetch(const IdHash& id) const noexcept {
      if (size > 0) __builtin_prefetch(&table[home_of(id)]);
    }
    void clear() noexcept;
    void add(const IdHash& id);
  };
  static_assert(kIdsMin <= 0x10000u, "a place in the list has 16 bits");

  [[nodiscard]] const Generation& current() const noexcept { return generations_[current_]; }

  std::array<Generation, 2> generations_;
  std::uint32_t current_ = 0;
};

}  // namespace validation
