// One CloudEvents object in the JSON format becomes one event, in a single walk over its tokens. Values without escapes
// stay where they are: the event's slices point into the record.
#pragma once

#include "core/attribute.hh"
#include "core/event_parts.hh"
#include "core/json_cursor.hh"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

class Pieces;

class StructuredReader {
 public:
  explicit StructuredReader(const EventLimits& limits) : limits_(limits) {}

  /// cursor.peek() must be '{'. Fills event, or says what is wrong: "json_syntax" with the cursor at the place.
  [[nodiscard]] Fault read(JsonCursor& cursor, sluice_event& event, Block& block);

 private:
  enum class Kind : std::uint8_t { null, string, escaped_string, boolean, number, container };
  struct Value {
    std::string_view text;  // between the quotes, for strings
    Kind kind = Kind::null;
  };
  struct Extension {
    std::string_view name;
    Value value;
  };

  /// Keeps the fault for read(); a bool goes through the innermost loop, a fault does not.
  bool fail(const char* code, std::string_view subject = {}) noexcept {
    fault_ = {code, subject};
    return false;
  }
  bool read_members(JsonCursor& cursor, Block& block);
  bool read_member(JsonCursor& cursor, Block& block);
  bool read_core(JsonCursor& cursor, Known known, std::string_view name);
  bool read_data(JsonCursor& cursor, Known known);
  bool read_extension(JsonCursor& cursor, std::string_view name);
  bool read_value(JsonCursor& cursor, Value& value);
  Fault finish(std::string_view json, sluice_event& event, Block& block);
  Fault rewrite(Pieces& pieces);
  Fault take_extensions(Pieces& pieces, sluice_attribute* made);
  Fault take_data(Pieces& pieces);
  [[nodiscard]] bool rewrites_data() const noexcept;

  const EventLimits limits_;
  Fault fault_;
  EventParts parts_;  // of the event at hand
  std::string_view specversion_;
  Value data_, base64_;  // null: not there
  std::vector<Extension> extensions_;
  std::uint32_t seen_ = 0;     // a bit for each Known
  std::uint32_t escaped_ = 0;  // those of them that must be unescaped
  std::uint32_t attributes_ = 0;
  std::uint64_t extension_bits_ = 0;  // a small filter in front of the search for duplicates
  std::size_t escaped_bytes_ = 0;     // of attribute values that must be unescaped
};

}  // namespace sluice
