// Event types as small numbers, so that counting by type is an array access. Id 0 is "other": whatever came after the
// first kTypes - 1 types, or is too long for a label. One table for the host; each source lane keeps a cache in front
// of it.
#pragma once

#include "core/limits.hh"

#include <sluice/event.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice {

class TypeTable {
 public:
  TypeTable() {
    names_.emplace_back("other");
    ids_.emplace("other", 0);  // a type of that name is no second row
  }
  /// Any thread.
  [[nodiscard]] std::uint16_t id_of(std::string_view type);
  /// Name by id; a snapshot, since ids are only ever added.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::uint16_t> ids_;
  std::vector<std::string> names_;
};

/// The id that a source lane wrote into the event's flags.
[[nodiscard]] inline std::uint16_t type_id(const sluice_event& event) noexcept {
  return static_cast<std::uint16_t>(event.flags >> 16);
}
inline void set_type_id(sluice_event& event, std::uint16_t id) noexcept {
  event.flags = (event.flags & 0xffffu) | (static_cast<std::uint32_t>(id) << 16);
}

/// A source lane's own front of the table: no lock while the types are known.
class TypeCache {
 public:
  explicit TypeCache(TypeTable& table) : table_(table) {}
  [[nodiscard]] std::uint16_t id_of(std::string_view type);

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::string name;
    std::uint16_t id = 0;
  };
  TypeTable& table_;
  std::vector<Slot> slots_ = std::vector<Slot>(1024);
};

}  // namespace sluice
