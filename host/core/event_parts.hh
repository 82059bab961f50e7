// An event in pieces, on its way into a block: what the three kinds of input (structured, binary, envelope) have in
// common once their values are unescaped. And the rules that every event must pass.
#pragma once

#include "core/attribute.hh"
#include "core/decode.hh"

#include <sluice/cpp/text.hh>

#include <cstdint>
#include <span>
#include <string_view>

namespace sluice {

/// A text whose data() is null is an absent attribute.
struct EventParts {
  std::string_view id, source, type, subject, time, datacontenttype, dataschema;
  std::span<const sluice_attribute> extensions;
  std::string_view data;  // JSON text, or bytes when data_is_bytes
  bool has_data = false;
  bool data_is_bytes = false;
  bool has_time = false;  // set by check_parts
  std::int64_t time_s = 0;
  std::uint32_t time_ns = 0;
};

[[nodiscard]] inline std::uint32_t flags_of(const EventParts& parts) noexcept {
  std::uint32_t flags = 0;
  if (parts.has_data) flags |= SLUICE_HAS_DATA;
  if (parts.data_is_bytes) flags |= SLUICE_DATA_BYTES;
  if (parts.has_time) flags |= SLUICE_HAS_TIME;
  return flags;
}

/// What is wrong, cheap to make and to pass on: the text for people is written only when somebody will read it.
struct Fault {
  const char* code = nullptr;  // null: nothing is wrong
  std::string_view subject;    // the attribute or member; valid as long as the record

  explicit operator bool() const noexcept { return code != nullptr; }
};

/// Checks every attribute and reads the time. Names of extensions must have been checked before.
[[nodiscard]] Fault check_parts(EventParts& parts) noexcept;

/// Fills an event whose texts all lie behind base: everything but json. Extensions are referred to, not copied.
void fill_view(const EventParts& parts, const char* base, sluice_event& event) noexcept;

/// The sentence for people.
[[nodiscard]] std::string explain(const Fault& fault);

}  // namespace sluice
