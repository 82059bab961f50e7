#include "core/type_table.hh"

#include <algorithm>
#include <cstring>

namespace sluice {

namespace {

/// A slot's mark from a type's length, first and last eight bytes: types of one program differ there. Never 0.
std::uint64_t mark_of(std::string_view type) noexcept {
  std::uint64_t first = 0, last = 0;
  const std::size_t some = std::min<std::size_t>(type.size(), sizeof first);
  std::memcpy(&first, type.data(), some);
  std::memcpy(&last, type.data() + type.size() - some, some);
  return ((first * 0x9e3779b97f4a7c15u) ^ (last * 0xc2b2ae3d27d4eb4fu) ^ type.size()) | 1;
}

}  // namespace

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
  const std::uint64_t hash = mark_of(type);
  Slot& slot = slots_[(hash >> 40) % slots_.size()];
  if (slot.hash == hash && slot.name == type) return slot.id;
  slot = {hash, std::string(type), table_.id_of(type)};
  return slot.id;
}

}  // namespace sluice
