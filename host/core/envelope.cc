#include "core/envelope.hh"

#include "core/timestamp.hh"

#include <algorithm>
#include <charconv>

namespace sluice {

namespace {

constexpr Fault kSyntax{"json_syntax", {}};

/// correlation_id, correlationId and correlation-id are one attribute: correlationid.
std::string extension_name(std::string_view member) {
  std::string name;
  for (const char c : member) {
    if (c >= 'A' && c <= 'Z') {
      name += static_cast<char>(c + 32);
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      name += c;
    }
  }
  return name;
}

bool is_integer(std::string_view text) noexcept {
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && text != "-0";
}

std::size_t rank_in(const std::vector<std::string>& spellings, std::string_view name) noexcept {
  return static_cast<std::size_t>(std::find(spellings.begin(), spellings.end(), name) - spellings.begin());
}

}  // namespace

EnvelopeReader::EnvelopeReader(const EventFormat& format, const EventLimits& limits)
    : limits_(limits),
      source_(format.source),
      type_(format.type),
      type_prefix_(format.type_prefix),
      subject_(format.subject) {
  for (const FieldMap& field : format.fields) {
    const Known known = known_name(field.to);
    if (known == Known::data) {
      data_names_ = field.from;
    } else {
      fields_.push_back({field.to, known, field.from});
    }
  }
}

std::string_view EnvelopeReader::keep(std::string text) { return texts_.emplace_back(std::move(text)); }

Fault EnvelopeReader::read(JsonCursor& cursor, EventParts& parts) {
  taken_.assign(fields_.size(), {});
  names_.clear();
  extensions_.clear();
  texts_.clear();
  data_ = {};
  cursor.enter(1);
  const char* start = cursor.position();
  if (!cursor.take('{')) return kSyntax;
  if (cursor.peek() != '}') {
    do {
      if (const Fault fault = read_member(cursor)) return fault;
    } while (cursor.take(','));
  }
  const char* close = cursor.position();
  if (!cursor.take('}')) return kSyntax;
  if (static_cast<std::size_t>(close + 1 - start) > limits_.event_bytes) return {"too_large", {}};
  parts = {};
  if (const Fault fault = take_core(parts)) return fault;
  parts.extensions = extensions_;
  parts.has_data = data_.data() != nullptr;
  parts.data = data_;
  return {};
}

Fault EnvelopeReader::read_member(JsonCursor& cursor) {
  JsonString key;
  if (cursor.peek() != '"' || !cursor.take_string(key) || !cursor.take(':')) return kSyntax;
  std::string_view name = key.raw;
  if (key.escaped) {
    std::string unescaped(name.size(), '\0');
    const std::size_t length = unescape_json(name, unescaped.data());
    if (length == name.npos) return {"bad_name", name};
    unescaped.resize(length);
    name = keep(std::move(unescaped));
  }
  if (std::find(names_.begin(), names_.end(), name) != names_.end()) return {"json_duplicate_member", name};
  if (names_.size() >= limits_.attributes) return {"too_many_attributes", {}};
  names_.push_back(name);
  if (rank_in(data_names_, name) < data_names_.size()) return read_data(cursor, name);
  Member member{.name = name, .text = {}};
  bool null = false;
  if (!read_value(cursor, member, null)) return kSyntax;
  return null ? Fault{} : place(member);
}

Fault EnvelopeReader::read_data(JsonCursor& cursor, std::string_view name) {
  std::string_view text;
  if (!cursor.take_value(text)) return kSyntax;
  // Of several spellings the first in the list is the data; two of them at once cannot both be kept.
  if (data_.data() != nullptr) return {"json_duplicate_member", name};
  data_ = text;
  return {};
}

bool EnvelopeReader::read_value(JsonCursor& cursor, Member& member, bool& null) {
  const char first = cursor.peek();
  if (first == '"') {
    JsonString string;
    if (!cursor.take_string(string)) return false;
    member.text = string.raw;
    if (string.escaped) {
      std::string unescaped(string.raw.size(), '\0');
      const std::size_t length = unescape_json(string.raw, unescaped.data());
      // Half a surrogate has no UTF-8: a NUL in its place makes the attribute's check refuse it.
      unescaped.resize(length == string.raw.npos ? 1 : length);
      if (length == string.raw.npos) unescaped[0] = '\0';
      member.text = keep(std::move(unescaped));
    }
    return true;
  }
  member.container = first == '{' || first == '[';
  if (!cursor.take_value(member.text)) return false;
  null = first == 'n';
  if (first == 't' || first == 'f') member.type = SLUICE_BOOLEAN;
  if (!member.container && is_integer(member.text)) member.type = SLUICE_INTEGER;
  return true;
}

Fault EnvelopeReader::place(Member member) {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    member.rank = rank_in(fields_[i].from, member.name);
    if (member.rank == fields_[i].from.size()) continue;
    // Of several spellings the first in the list wins; the other stays as an extension.
    if (taken_[i].name.data() != nullptr && taken_[i].rank < member.rank) break;
    std::swap(taken_[i], member);
    if (member.name.data() == nullptr) return {};
    break;
  }
  return place_extension(keep(extension_name(member.name)), member);
}

Fault EnvelopeReader::place_extension(std::string_view name, const Member& member) {
  if (name.empty()) return {"bad_name", member.name};
  if (known_name(name) != Known::none) return {"no_place", member.name};
  for (const sluice_attribute& earlier : extensions_) {
    if (view(earlier.name) == name) return {"json_duplicate_member", member.name};
  }
  // A container becomes its own JSON text: an extension can only be a text.
  extensions_.push_back({.name = str(name), .value = str(member.text), .type = member.type, .reserved = 0});
  return {};
}

Fault EnvelopeReader::take_core(EventParts& parts) {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const Member& member = taken_[i];
    if (member.name.data() == nullptr) continue;
    if (fields_[i].known == Known::none) {
      if (const Fault fault = place_extension(fields_[i].to, member)) return fault;
      continue;
    }
    if (member.container) return {"wrong_type", member.name};
    if (member.text.empty()) continue;
    switch (fields_[i].known) {
      case Known::id:
        parts.id = member.text;
        break;
      case Known::source:
        parts.source = member.text;
        break;
      case Known::type:
        parts.type = type_prefix_.empty() ? member.text : keep(type_prefix_ + std::string(member.text));
        break;
      case Known::subject:
        parts.subject = member.text;
        break;
      case Known::datacontenttype:
        parts.datacontenttype = member.text;
        break;
      case Known::dataschema:
        parts.dataschema = member.text;
        break;
      case Known::time:
        if (const Fault fault = take_time(member.text, parts)) return fault;
        break;
      default:
        return {"no_place", member.name};
    }
  }
  if (parts.source.empty() && !source_.empty()) parts.source = source_;
  if (parts.type.empty() && !type_.empty()) parts.type = type_;
  if (parts.subject.empty() && !subject_.empty()) parts.subject = subject_;
  return {};
}

Fault EnvelopeReader::take_time(std::string_view text, EventParts& parts) {
  const auto instant = parse_timestamp(text, Offset::optional);
  if (!instant) return {"bad_timestamp", "time"};
  parts.time = text;
  if (!instant->has_offset || text[10] == ' ') {
    std::string strict(text);
    strict[10] = 'T';
    if (!instant->has_offset) strict += 'Z';
    parts.time = keep(std::move(strict));
  }
  return {};
}

}  // namespace sluice
