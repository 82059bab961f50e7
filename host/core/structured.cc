#include "core/structured.hh"

#include "core/base64.hh"
#include "core/media_type.hh"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace sluice {

/// Where the event's texts end up: in place, or, once anything had to be rewritten, in one copy of the JSON with the
/// rewritten pieces behind it, so that every slice has the same base.
class Pieces {
 public:
  explicit Pieces(std::string_view json) : json_(json), base_(json.data()) {}

  /// `extra`: bytes that the pieces may need.
  void copy_to(Block& block, std::size_t extra) {
    copy_ = block.allocate(json_.size() + extra);
    std::memcpy(copy_, json_.data(), json_.size());
    base_ = copy_;
    end_ = copy_ + json_.size();
  }
  [[nodiscard]] bool copied() const noexcept { return copy_ != nullptr; }
  void finish(Block& block) const noexcept {
    if (copied()) {
      std::memset(end_, 0, SLUICE_PADDING);
      block.shrink_last(copy_, static_cast<std::size_t>(end_ - copy_));
    }
  }

  /// The same text, where it stands now.
  [[nodiscard]] std::string_view in_place(std::string_view text) const noexcept {
    return {base_ + (text.data() - json_.data()), text.size()};
  }
  [[nodiscard]] bool unescape(std::string_view raw, std::string_view& out) noexcept {
    const std::size_t length = unescape_json(raw, end_);
    if (length == std::string_view::npos) return false;
    out = {end_, length};
    end_ += length;
    return true;
  }
  [[nodiscard]] bool undo_base64(std::string_view text, std::string_view& out) noexcept {
    const auto length = decode_base64(text, end_);
    if (!length) return false;
    out = {end_, *length};
    end_ += *length;
    return true;
  }
  [[nodiscard]] const char* base() const noexcept { return base_; }

 private:
  std::string_view json_;
  const char* base_;
  char* copy_ = nullptr;
  char* end_ = nullptr;
};

namespace {

// By Known: where the attribute's text goes. specversion has no place in an event's parts.
constexpr std::string_view EventParts::*kPlaces[] = {
    &EventParts::id,   &EventParts::source,          &EventParts::type,       &EventParts::subject,
    &EventParts::time, &EventParts::datacontenttype, &EventParts::dataschema, nullptr};
constexpr std::string_view kNames[] = {"id",   "source",          "type",       "subject",
                                       "time", "datacontenttype", "dataschema", "specversion"};

constexpr std::uint32_t bit(Known known) noexcept { return 1u << static_cast<unsigned>(known); }

constexpr Fault kSyntax{"json_syntax", {}};

constexpr std::uint64_t name_bit(std::string_view name) noexcept {
  const auto first = static_cast<unsigned char>(name.front()), last = static_cast<unsigned char>(name.back());
  return std::uint64_t{1} << ((first * 7u + last * 3u + name.size()) & 63u);
}

/// An Integer: digits with an optional minus, within 32 bits. -0 is written 0.
Fault check_integer(std::string_view name, std::string_view& text) noexcept {
  if (text.find_first_of(".eE") != text.npos) return {"integer_form", name};
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {"integer_range", name};
  if (text == "-0") text.remove_prefix(1);
  return {};
}

}  // namespace

Fault StructuredReader::read(JsonCursor& cursor, sluice_event& event, Block& block) {
  parts_ = {};
  specversion_ = {};
  data_.kind = base64_.kind = Kind::null;
  seen_ = escaped_ = attributes_ = 0;
  extension_bits_ = escaped_bytes_ = 0;
  extensions_.clear();
  const char* start = cursor.position();
  cursor.enter(1);
  if (!read_members(cursor, block)) return fault_;
  const char* close = cursor.position();
  if (!cursor.take('}')) return kSyntax;
  const std::string_view json(start, static_cast<std::size_t>(close + 1 - start));
  if (json.size() > limits_.event_bytes) return {"too_large", {}};
  return finish(json, event, block);
}

bool StructuredReader::read_members(JsonCursor& cursor, Block& block) {
  if (!cursor.take('{')) return fail("json_syntax");
  if (cursor.peek() == '}') return true;
  do {
    if (!read_member(cursor, block)) return false;
  } while (cursor.take(','));
  return true;
}

bool StructuredReader::read_member(JsonCursor& cursor, Block& block) {
  JsonString key;
  if (cursor.peek() != '"' || !cursor.take_string(key) || !cursor.take(':')) return fail("json_syntax");
  std::string_view name = key.raw;
  if (key.escaped) {
    char* unescaped = block.allocate(name.size());
    const std::size_t length = unescape_json(name, unescaped);
    if (length == name.npos) return fail("bad_name", name);
    name = {unescaped, length};
  }
  const Known known = known_name(name);
  if (known == Known::none) return read_extension(cursor, name);
  if ((seen_ & bit(known)) != 0) return fail("json_duplicate_member", name);
  seen_ |= bit(known);
  if (known == Known::data || known == Known::data_base64) return read_data(cursor, known);
  return read_core(cursor, known, name);
}

bool StructuredReader::read_core(JsonCursor& cursor, Known known, std::string_view name) {
  if (++attributes_ > limits_.attributes) return fail("too_many_attributes");
  if (cursor.peek() == '"') [[likely]] {
    JsonString string;
    if (!cursor.take_string(string)) return fail("json_syntax");
    if (string.escaped) escaped_ |= bit(known), escaped_bytes_ += string.raw.size();
    (known == Known::specversion ? specversion_ : parts_.*kPlaces[static_cast<std::size_t>(known)]) = string.raw;
    return true;
  }
  Value value;
  if (!read_value(cursor, value)) return fail("json_syntax");
  return value.kind == Kind::null || fail("wrong_type", name);  // null: not set
}

bool StructuredReader::read_data(JsonCursor& cursor, Known known) {
  Value& value = known == Known::data ? data_ : base64_;
  if (!read_value(cursor, value)) return fail("json_syntax");
  // The data null is a value, and anything but a string counts by its source text.
  if (known == Known::data && value.kind != Kind::string && value.kind != Kind::escaped_string) {
    value.kind = Kind::container;
  }
  return true;
}

bool StructuredReader::read_extension(JsonCursor& cursor, std::string_view name) {
  if (++attributes_ > limits_.attributes) return fail("too_many_attributes");
  if (!is_attribute_name(name)) return fail("bad_name", name);
  Extension extension{name, {}};
  if (!read_value(cursor, extension.value)) return fail("json_syntax");
  if (extension.value.kind == Kind::escaped_string) escaped_bytes_ += extension.value.text.size();
  const std::uint64_t mark = name_bit(name);
  if ((extension_bits_ & mark) != 0) {
    for (const Extension& earlier : extensions_) {
      if (earlier.name == name) return fail("json_duplicate_member", name);
    }
  }
  extension_bits_ |= mark;
  extensions_.push_back(extension);
  return true;
}

bool StructuredReader::read_value(JsonCursor& cursor, Value& value) {
  switch (cursor.peek()) {
    case '"': {
      JsonString string;
      if (!cursor.take_string(string)) return false;
      value = {string.raw, string.escaped ? Kind::escaped_string : Kind::string};
      return true;
    }
    case '{':
    case '[':
      value.kind = Kind::container;
      return cursor.take_value(value.text);
    case 't':
    case 'f':
      value.kind = Kind::boolean;
      return cursor.take_scalar(value.text);
    case 'n':
      value.kind = Kind::null;
      return cursor.take_scalar(value.text);
    default:
      value.kind = Kind::number;
      return cursor.take_scalar(value.text);
  }
}

bool StructuredReader::rewrites_data() const noexcept {
  if (base64_.kind != Kind::null) return true;
  return data_.kind == Kind::escaped_string && parts_.datacontenttype.data() != nullptr;
}

/// Moves the core attributes to the copy, unescaped.
Fault StructuredReader::rewrite(Pieces& pieces) {
  for (std::size_t i = 0; i < std::size(kPlaces); ++i) {
    std::string_view& text = i == static_cast<std::size_t>(Known::specversion) ? specversion_ : parts_.*kPlaces[i];
    if (text.data() == nullptr) continue;
    if ((escaped_ >> i & 1u) == 0) {
      text = pieces.in_place(text);
    } else if (!pieces.unescape(text, text)) {
      return {"bad_string_chars", kNames[i]};
    }
  }
  return {};
}

Fault StructuredReader::take_extensions(Pieces& pieces, sluice_attribute* made) {
  std::size_t count = 0;
  for (const Extension& extension : extensions_) {
    std::string_view text = extension.value.text;
    std::uint32_t type = SLUICE_STRING;
    switch (extension.value.kind) {
      case Kind::null:
        continue;
      case Kind::string:
        text = pieces.in_place(text);
        break;
      case Kind::escaped_string:
        if (!pieces.unescape(text, text)) return {"bad_string_chars", extension.name};
        break;
      case Kind::boolean:
        type = SLUICE_BOOLEAN;
        text = pieces.in_place(text);
        break;
      case Kind::number:
        if (const Fault fault = check_integer(extension.name, text)) return fault;
        type = SLUICE_INTEGER;
        text = pieces.in_place(text);
        break;
      case Kind::container:
        return {"wrong_type", extension.name};
    }
    made[count++] = {.name = str(extension.name), .value = str(text), .type = type, .reserved = 0};
  }
  parts_.extensions = {made, count};
  return {};
}

Fault StructuredReader::take_data(Pieces& pieces) {
  if (base64_.kind != Kind::null) {
    if (data_.kind != Kind::null) return {"data_conflict", {}};
    if (base64_.kind != Kind::string && base64_.kind != Kind::escaped_string) return {"wrong_type", "data_base64"};
    std::string_view text = base64_.text;
    if (base64_.kind == Kind::escaped_string && !pieces.unescape(text, text)) return {"bad_base64", "data_base64"};
    if (!pieces.undo_base64(text, parts_.data)) return {"bad_base64", "data_base64"};
    parts_.has_data = parts_.data_is_bytes = true;
    return {};
  }
  if (data_.kind == Kind::null) return {};
  const std::string_view text = data_.text;
  parts_.has_data = true;
  if (parts_.datacontenttype.data() == nullptr || media_type_of(parts_.datacontenttype) != MediaType::other) {
    // JSON: the value as it stands in the source, quotes included.
    const bool quoted = data_.kind != Kind::container;
    parts_.data = pieces.in_place(quoted ? std::string_view(text.data() - 1, text.size() + 2) : text);
    return {};
  }
  parts_.data_is_bytes = true;
  if (data_.kind == Kind::container) return {"data_not_text", {}};
  if (data_.kind == Kind::string) return parts_.data = pieces.in_place(text), Fault{};
  return pieces.unescape(text, parts_.data) ? Fault{} : Fault{"data_not_text", {}};
}

Fault StructuredReader::finish(std::string_view json, sluice_event& event, Block& block) {
  Pieces pieces(json);
  // Before the copy, so that the copy is the block's latest allocation and can give back its unused end.
  auto* made = extensions_.empty() ? nullptr : block.allocate_array<sluice_attribute>(extensions_.size());
  if (escaped_bytes_ > 0 || rewrites_data()) {
    const std::size_t data_bytes =
        (data_.kind != Kind::null ? data_.text.size() : 0) + (base64_.kind != Kind::null ? 2 * base64_.text.size() : 0);
    pieces.copy_to(block, escaped_bytes_ + data_bytes);
    if (const Fault fault = rewrite(pieces)) return fault;
  }
  if (specversion_ != "1.0") {
    if (specversion_.data() == nullptr) return {"missing_required", "specversion"};
    return {specversion_.empty() ? "empty_value" : "specversion_unsupported", "specversion"};
  }
  if (const Fault fault = take_data(pieces)) return fault;
  if (made != nullptr) {
    if (const Fault fault = take_extensions(pieces, made)) return fault;
  }
  pieces.finish(block);
  if (const Fault fault = check_parts(parts_)) return fault;
  fill_view(parts_, pieces.base(), event);
  event.json = {0, static_cast<std::uint32_t>(json.size())};
  return {};
}

}  // namespace sluice
