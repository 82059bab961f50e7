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
  seen_ = attributes_ = 0;
  extension_bits_ = escaped_bytes_ = 0;
  extensions_.clear();
  const char* start = cursor.position();
  cursor.enter(1);
  if (const Fault fault = read_members(cursor, block)) return fault;
  const char* close = cursor.position();
  if (!cursor.take('}')) return kSyntax;
  const std::string_view json(start, static_cast<std::size_t>(close + 1 - start));
  if (json.size() > limits_.event_bytes) return {"too_large", {}};
  return finish(json, event, block);
}

Fault StructuredReader::read_members(JsonCursor& cursor, Block& block) {
  if (!cursor.take('{')) return kSyntax;
  if (cursor.peek() == '}') return {};
  do {
    if (const Fault fault = read_member(cursor, block)) return fault;
  } while (cursor.take(','));
  return {};
}

Fault StructuredReader::read_member(JsonCursor& cursor, Block& block) {
  JsonString key;
  if (cursor.peek() != '"' || !cursor.take_string(key) || !cursor.take(':')) return kSyntax;
  std::string_view name = key.raw;
  if (key.escaped) {
    char* unescaped = block.allocate(name.size());
    const std::size_t length = unescape_json(name, unescaped);
    if (length == name.npos) return {"bad_name", name};
    name = {unescaped, length};
  }
  const Known known = known_name(name);
  if (known != Known::data && known != Known::data_base64 && ++attributes_ > limits_.attributes) {
    return {"too_many_attributes", {}};
  }
  if (known == Known::none) {
    if (!is_attribute_name(name)) return {"bad_name", name};
    Value value;
    return read_value(cursor, value) ? add_extension(name, value) : kSyntax;
  }
  if (seen(known)) return {"json_duplicate_member", name};
  seen_ |= 1u << static_cast<unsigned>(known);
  if (known == Known::data) return read_data(cursor);
  return read_value(cursor, core_[static_cast<std::size_t>(known)]) ? Fault{} : kSyntax;
}

Fault StructuredReader::read_data(JsonCursor& cursor) {
  Value& data = core_[static_cast<std::size_t>(Known::data)];
  data.kind = Kind::container;
  if (cursor.peek() != '"') return cursor.take_value(data.text) ? Fault{} : kSyntax;
  JsonString string;
  if (!cursor.take_string(string)) return kSyntax;
  data = {string.raw, string.escaped ? Kind::escaped_string : Kind::string};
  return {};
}

bool StructuredReader::read_value(JsonCursor& cursor, Value& value) {
  switch (cursor.peek()) {
    case '"': {
      JsonString string;
      if (!cursor.take_string(string)) return false;
      value = {string.raw, string.escaped ? Kind::escaped_string : Kind::string};
      if (string.escaped) escaped_bytes_ += string.raw.size();
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

Fault StructuredReader::add_extension(std::string_view name, const Value& value) {
  const std::uint64_t bit = name_bit(name);
  if ((extension_bits_ & bit) != 0) {
    for (const Extension& earlier : extensions_) {
      if (earlier.name == name) return {"json_duplicate_member", name};
    }
  }
  extension_bits_ |= bit;
  extensions_.push_back({name, value});
  return {};
}

Fault StructuredReader::take_core(Known known, std::string_view& to, Pieces& pieces) const {
  to = {};
  if (!seen(known)) return {};
  const Value& value = core(known);
  constexpr std::string_view kNames[] = {"id",   "source",          "type",       "subject",
                                         "time", "datacontenttype", "dataschema", "specversion"};
  const std::string_view name = kNames[static_cast<std::size_t>(known)];
  switch (value.kind) {
    case Kind::null:
      return {};
    case Kind::string:
      to = pieces.in_place(value.text);
      return {};
    case Kind::escaped_string:
      return pieces.unescape(value.text, to) ? Fault{} : Fault{"bad_string_chars", name};
    default:
      return {"wrong_type", name};
  }
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
  parts_.data = {};
  parts_.has_data = parts_.data_is_bytes = false;
  if (seen(Known::data_base64) && core(Known::data_base64).kind != Kind::null) {
    if (seen(Known::data)) return {"data_conflict", {}};
    const Value& value = core(Known::data_base64);
    if (value.kind != Kind::string && value.kind != Kind::escaped_string) return {"wrong_type", "data_base64"};
    std::string_view text = value.text;
    if (value.kind == Kind::escaped_string && !pieces.unescape(text, text)) return {"bad_base64", "data_base64"};
    if (!pieces.undo_base64(text, parts_.data)) return {"bad_base64", "data_base64"};
    parts_.has_data = parts_.data_is_bytes = true;
    return {};
  }
  if (!seen(Known::data)) return {};
  const Value& value = core(Known::data);
  const bool is_string = value.kind != Kind::container;
  parts_.has_data = true;
  if (parts_.datacontenttype.data() == nullptr || media_type_of(parts_.datacontenttype) != MediaType::other) {
    // JSON: the value as it stands in the source, quotes included.
    parts_.data =
        pieces.in_place(is_string ? std::string_view(value.text.data() - 1, value.text.size() + 2) : value.text);
    return {};
  }
  parts_.data_is_bytes = true;
  if (!is_string) return {"data_not_text", {}};
  if (value.kind == Kind::string) return parts_.data = pieces.in_place(value.text), Fault{};
  return pieces.unescape(value.text, parts_.data) ? Fault{} : Fault{"data_not_text", {}};
}

Fault StructuredReader::finish(std::string_view json, sluice_event& event, Block& block) {
  Pieces pieces(json);
  // Before the copy, so that the copy is the block's latest allocation and can give back its unused end.
  auto* made = extensions_.empty() ? nullptr : block.allocate_array<sluice_attribute>(extensions_.size());
  const bool rewrites_data = seen(Known::data_base64) || (seen(Known::data) && seen(Known::datacontenttype) &&
                                                          core(Known::data).kind == Kind::escaped_string);
  if (escaped_bytes_ > 0 || rewrites_data) {
    const std::size_t data_bytes = (seen(Known::data) ? core(Known::data).text.size() : 0) +
                                   (seen(Known::data_base64) ? core(Known::data_base64).text.size() : 0);
    pieces.copy_to(block, escaped_bytes_ + data_bytes);
  }
  std::string_view specversion;
  if (const Fault fault = take_core(Known::specversion, specversion, pieces)) return fault;
  if (specversion.data() == nullptr) return {"missing_required", "specversion"};
  if (specversion != "1.0") return {specversion.empty() ? "empty_value" : "specversion_unsupported", "specversion"};
  const std::pair<Known, std::string_view*> texts[] = {
      {Known::id, &parts_.id},
      {Known::source, &parts_.source},
      {Known::type, &parts_.type},
      {Known::subject, &parts_.subject},
      {Known::time, &parts_.time},
      {Known::datacontenttype, &parts_.datacontenttype},
      {Known::dataschema, &parts_.dataschema},
  };
  for (const auto& [known, text] : texts) {
    if (const Fault fault = take_core(known, *text, pieces)) return fault;
  }
  if (const Fault fault = take_data(pieces)) return fault;
  parts_.extensions = {};
  if (!extensions_.empty()) {
    if (const Fault fault = take_extensions(pieces, made)) return fault;
  }
  pieces.finish(block);
  parts_.has_time = false;
  parts_.time_s = 0;
  parts_.time_ns = 0;
  if (const Fault fault = check_parts(parts_)) return fault;
  fill_view(parts_, pieces.base(), event);
  event.json = {0, static_cast<std::uint32_t>(json.size())};
  return {};
}

}  // namespace sluice
