// Ids in UUID form for events that came without one: the same again for the same place, or ordered by time.
#pragma once

#include "core/key_hash.hh"

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

namespace sluice {

using UuidText = std::array<char, 36>;

/// A UUIDv7 (RFC 9562): 48 bits of milliseconds, the rest from `random`, which must be fresh for every call.
[[nodiscard]] UuidText time_ordered_uuid(std::int64_t unix_ns, std::uint64_t random) noexcept;

/// Ids made from names. Keeps its digest's state between calls. Not thread-safe.
class NameHash {
 public:
  NameHash();
  NameHash(NameHash&&) noexcept;
  NameHash& operator=(NameHash&&) noexcept;
  ~NameHash();

  /// A UUIDv8 from the SHA-256 of node, position and index; no two different triples are hashed alike.
  [[nodiscard]] UuidText uuid(std::string_view node, std::string_view position, std::uint32_t index);
  /// 128 bits of the same for two texts.
  [[nodiscard]] KeyHash key(std::string_view first, std::string_view second);

 private:
  struct Digest;
  std::array<unsigned char, 16> hash(std::string_view first, std::string_view second, std::uint64_t index);
  std::unique_ptr<Digest> digest_;
};

}  // namespace sluice
