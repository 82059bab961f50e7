#include "core/document.hh"

#include <charconv>
#include <cmath>

namespace sluice {

Value::Value() = default;
Value::Value(const Value& other) = default;
Value::Value(Value&& other) noexcept = default;
Value& Value::operator=(const Value& other) = default;
Value& Value::operator=(Value&& other) noexcept = default;
Value::~Value() = default;

const Value* Value::find(std::string_view key) const noexcept {
  for (const auto& [name, member] : map) {
    if (name == key) return &member;
  }
  return nullptr;
}

Value* Value::find(std::string_view key) noexcept {
  for (auto& [name, member] : map) {
    if (name == key) return &member;
  }
  return nullptr;
}

const Value* Value::at(std::string_view dotted) const noexcept {
  const Value* here = this;
  while (here != nullptr && !dotted.empty()) {
    const std::size_t dot = dotted.find('.');
    here = here->find(dotted.substr(0, dot));
    dotted = dot == std::string_view::npos ? std::string_view{} : dotted.substr(dot + 1);
  }
  return here;
}

Value& Value::put(std::string key, Value value) {
  if (Value* there = find(key); there != nullptr) {
    *there = std::move(value);
    return *there;
  }
  map.emplace_back(std::move(key), std::move(value));
  return map.back().second;
}

namespace {

Value made(Value::Kind kind, const Value& where) {
  Value value;
  value.kind = kind;
  value.mark = where.mark;
  value.key_mark = where.key_mark;
  value.file = where.file;
  value.path = where.path;
  return value;
}

std::string number_text(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number);
  return {text, end.ptr};
}

void append_json(const Value& value, std::string& out) {
  switch (value.kind) {
    case Value::Kind::null:
      out += "null";
      return;
    case Value::Kind::boolean:
      out += value.boolean ? "true" : "false";
      return;
    case Value::Kind::integer:
      out += std::to_string(value.integer);
      return;
    case Value::Kind::number:
      out += std::isfinite(value.number) ? number_text(value.number) : "null";
      return;
    case Value::Kind::string:
      out += json_string(value.string);
      return;
    case Value::Kind::list: {
      out += '[';
      for (const Value& member : value.list) {
        if (&member != &value.list.front()) out += ',';
        append_json(member, out);
      }
      out += ']';
      return;
    }
    case Value::Kind::map: {
      out += '{';
      for (const auto& member : value.map) {
        if (&member != &value.map.front()) out += ',';
        out += json_string(member.first) + ':';
        append_json(member.second, out);
      }
      out += '}';
      return;
    }
  }
}

}  // namespace

Value make_string(std::string text, const Value& where) {
  Value value = made(Value::Kind::string, where);
  value.string = std::move(text);
  return value;
}

Value make_integer(std::int64_t integer, const Value& where) {
  Value value = made(Value::Kind::integer, where);
  value.integer = integer;
  value.number = static_cast<double>(integer);
  value.string = std::to_string(integer);
  return value;
}

Value make_number(double number, const Value& where) {
  Value value = made(Value::Kind::number, where);
  value.number = number;
  value.string = number_text(number);
  return value;
}

Value make_boolean(bool boolean, const Value& where) {
  Value value = made(Value::Kind::boolean, where);
  value.boolean = boolean;
  value.string = boolean ? "true" : "false";
  return value;
}

Value make_map(const Value& where) { return made(Value::Kind::map, where); }
Value make_list(const Value& where) { return made(Value::Kind::list, where); }

const char* kind_name(Value::Kind kind) noexcept {
  switch (kind) {
    case Value::Kind::null:
      return "nothing";
    case Value::Kind::boolean:
      return "true or false";
    case Value::Kind::integer:
      return "a whole number";
    case Value::Kind::number:
      return "a number";
    case Value::Kind::string:
      return "text";
    case Value::Kind::list:
      return "a list";
    case Value::Kind::map:
      return "a map";
  }
  return "nothing";
}

void complain(Problems& problems, const Value& where, const std::string& path, std::string text, Severity severity) {
  problems.push_back({where.file, where.mark, where.path.empty() ? path : where.path, std::move(text), severity});
}

void complain_at_key(Problems& problems, const Value& where, const std::string& path, std::string text,
                     Severity severity) {
  complain(problems, where, path, std::move(text), severity);
  if (where.key_mark.line > 0) problems.back().mark = where.key_mark;
}

std::string json_string(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += "\\u00";
          out += kHex[(c >> 4) & 15];
          out += kHex[c & 15];
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

std::string to_json(const Value& value) {
  std::string out;
  append_json(value, out);
  return out;
}

}  // namespace sluice
