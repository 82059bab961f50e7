// Another envelope's JSON object becomes an event by a map of its fields (EventFormat::fields).
#pragma once

#include "core/event_format.hh"
#include "core/event_parts.hh"
#include "core/json_cursor.hh"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// What does not fit is kept: a member that no field names becomes an extension under its name in lower case without
/// separators (correlation_id: correlationid), and the envelope writers give it back.
class EnvelopeReader {
 public:
  EnvelopeReader(const EventFormat& format, const EventLimits& limits);

  /// cursor.peek() must be '{'. The parts hold until the next call and refer to the record. An id may be missing.
  [[nodiscard]] Fault read(JsonCursor& cursor, EventParts& parts);

 private:
  struct Member {
    std::string_view name;
    std::string_view text;  // unescaped, for strings; the source text otherwise
    std::uint32_t type = SLUICE_STRING;
    bool container = false;
    std::size_t rank = 0;  // of the spelling in the field's list
  };
  struct Field {
    std::string to;
    Known known = Known::none;
    std::vector<std::string> from;
  };

  Fault read_member(JsonCursor& cursor);
  Fault read_data(JsonCursor& cursor, std::string_view name);
  bool read_value(JsonCursor& cursor, Member& member, bool& null);
  Fault place(Member member);
  Fault place_extension(std::string_view name, const Member& member);
  Fault take_core(EventParts& parts);
  Fault take_time(std::string_view text, EventParts& parts);
  std::string_view keep(std::string text);

  const EventLimits limits_;
  const std::string source_, type_, type_prefix_, subject_;
  std::vector<Field> fields_;
  std::vector<std::string> data_names_;

  // Of the record at hand.
  std::vector<Member> taken_;  // by field; name.data() null: not there
  std::vector<std::string_view> names_;
  std::vector<sluice_attribute> extensions_;
  std::string_view data_;
  std::size_t data_rank_ = 0;
  std::deque<std::string> texts_;  // what could not stay in place; never moves
};

}  // namespace sluice
