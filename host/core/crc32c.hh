// CRC-32C (Castagnoli), the checksum of the spool's records: with the processor's own instruction where it has one.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

/// The checksum of the bytes; `before` is the checksum of what stands in front of them.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;

/// The same by table, whatever the processor: what crc32c() falls back to, and what its tests compare it with.
[[nodiscard]] std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t before = 0) noexcept;

}  // namespace sluice
