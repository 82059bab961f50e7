// The rules for attribute names and String values (CloudEvents 1.0, "Attribute Naming Convention" and "Type System").
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

/// The attributes that an event has a place for; everything else is an extension.
enum class Known : std::uint8_t {
  id,
  source,
  type,
  subject,
  time,
  datacontenttype,
  dataschema,
  specversion,
  data,
  data_base64,
  none,
};

/// One of the names above, exactly as written ("ID" is none of them).
[[nodiscard]] Known known_name(std::string_view name) noexcept;

/// Lower-case letters and digits, at least one.
[[nodiscard]] bool is_attribute_name(std::string_view name) noexcept;

/// No control character, no noncharacter. The text must be well-formed UTF-8 already.
[[nodiscard]] bool is_attribute_text(std::string_view text) noexcept;

}  // namespace sluice
