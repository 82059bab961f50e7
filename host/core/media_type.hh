// Media types (RFC 2045, 2046), as far as an event needs them: well-formed, and JSON or not.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

enum class MediaType : std::uint8_t { malformed, json, other };

/// JSON is a subtype of `json` or one that ends with `+json`, whatever the parameters and the case.
[[nodiscard]] MediaType media_type_of(std::string_view text) noexcept;

}  // namespace sluice
