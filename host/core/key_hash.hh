// A key as it is remembered: 128 bits of the SHA-256 of what makes an event the same as another. Short enough to hold a
// million of them in memory, long enough that two keys never meet by accident or by design.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice {

struct KeyHash {
  std::uint64_t high = 0, low = 0;

  friend bool operator==(const KeyHash&, const KeyHash&) = default;

  /// 32 hexadecimal digits: how stores outside this process spell it.
  [[nodiscard]] std::array<char, 32> text() const noexcept {
    constexpr char kHex[] = "0123456789abcdef";
    std::array<char, 32> out{};
    for (unsigned i = 0; i < 16; ++i) {
      out[i] = kHex[high >> (60 - 4 * i) & 15];
      out[16 + i] = kHex[low >> (60 - 4 * i) & 15];
    }
    return out;
  }
};

}  // namespace sluice
