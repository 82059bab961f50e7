// RFC 3986: is this text a URI-reference, or an absolute URI? Nothing is normalised.
#pragma once

#include <string_view>

namespace sluice {

/// `source`: absolute or relative, not empty.
[[nodiscard]] bool is_uri_reference(std::string_view text) noexcept;

/// `dataschema`: with a scheme and without a fragment (RFC 3986, 4.3).
[[nodiscard]] bool is_absolute_uri(std::string_view text) noexcept;

}  // namespace sluice
