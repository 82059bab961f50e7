#include "core/type_table.hh"

#include <functional>

namespace sluice {

std::uint16_t TypeTable::id_of(std::string_view type) {
  if (type.size() > limits::kTypeNameBytes) return 0;
  const std::lock_guard lock(mutex_);
  if (const auto found = ids_.find(std::string(type)); found != ids_.end()) return found->second;
  if (names_.size() >= limits::kTypes) return 0;
  const auto id = static_cast<std::uint16_t>(names_.size());
  names_.emplace_back(type);
  ids_.emplace(names_.back(), id);
  return id;
}

std::vector<std::string> TypeTable::names() const {
  const std::lock_guard lock(mutex_);
  return names_;
}

std::uint16_t TypeCache::id_of(std::string_view type) {
  if (type.size() > limits::kTypeNameBytes) return 0;  // not kept here either: a megabyte of type is a legal one
  const std::uint64_t hash = std::hash<std::string_view>{}(type) | 1;
  Slot& slot = slots_[(hash >> 1) % slots_.size()];
  if (slot.hash == hash && slot.name == type) return slot.id;
  slot = {hash, std::string(type), table_.id_of(type)};
  return slot.id;
}

}  // namespace sluice
