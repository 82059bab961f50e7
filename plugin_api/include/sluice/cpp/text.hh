// Between sluice_str and std::string_view.
#pragma once

#include "../types.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice {

[[nodiscard]] inline std::string_view view(sluice_str text) noexcept {
  return {text.ptr == nullptr ? "" : text.ptr, static_cast<std::size_t>(text.len)};
}

[[nodiscard]] inline sluice_str str(std::string_view text) noexcept { return {text.data(), text.size()}; }

/// Writes text into the host's error buffer, cut to what fits.
inline void put(sluice_error* error, std::string_view text) noexcept {
  if (error == nullptr || error->text == nullptr) return;
  const std::size_t length = std::min<std::size_t>(text.size(), error->cap);
  std::memcpy(error->text, text.data(), length);
  error->len = static_cast<std::uint32_t>(length);
}

}  // namespace sluice
