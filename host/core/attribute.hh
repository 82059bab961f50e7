// The rules for attribute names and String values (CloudEvents 1.0, "Attribute Naming Convention" and "Type System").
#pragma once

#include <cstdint>
#include <cstring>
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
[[nodiscard]] inline Known known_name(std::string_view name) noexcept {
  const auto is = [&](std::string_view candidate) {
    return std::memcmp(name.data(), candidate.data(), candidate.size()) == 0;
  };
  switch (name.size()) {
    case 2:
      return is("id") ? Known::id : Known::none;
    case 4:
      if (is("type")) return Known::type;
      if (is("time")) return Known::time;
      return is("data") ? Known::data : Known::none;
    case 6:
      return is("source") ? Known::source : Known::none;
    case 7:
      return is("subject") ? Known::subject : Known::none;
    case 10:
      return is("dataschema") ? Known::dataschema : Known::none;
    case 11:
      if (is("specversion")) return Known::specversion;
      return is("data_base64") ? Known::data_base64 : Known::none;
    case 15:
      return is("datacontenttype") ? Known::datacontenttype : Known::none;
    default:
      return Known::none;
  }
}

/// Lower-case letters and digits, at least one.
[[nodiscard]] bool is_attribute_name(std::string_view name) noexcept;

/// No control character, no noncharacter. The text must be well-formed UTF-8 already.
[[nodiscard]] bool is_attribute_text(std::string_view text) noexcept;

}  // namespace sluice
