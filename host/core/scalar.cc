#include "core/scalar.hh"

#include <charconv>
#include <cmath>

namespace sluice {
namespace {

bool all_in(std::string_view text, std::string_view set) {
  return !text.empty() && text.find_first_not_of(set) == std::string_view::npos;
}

bool parse_integer(std::string_view text, std::int64_t& out) {
  int base = 10;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'o')) {
    base = text[1] == 'x' ? 16 : 8;
    text.remove_prefix(2);
    if (text[0] == '-') return false;
  } else if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text[0] == '-') return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

bool parse_number(std::string_view text, double& out) {
  // The core schema's float: digits with a point or an exponent. from_chars also knows "inf" and "nan": kept out.
  if (!all_in(text, "0123456789+-.eE") || text.find_first_of(".eE") == std::string_view::npos) return false;
  if (text[0] == '+') text.remove_prefix(1);
  if (text.empty() || text[0] == '+') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && std::isfinite(out);
}

}  // namespace

void type_scalar(Value& value) {
  value.kind = Value::Kind::string;
  if (value.quoted) return;
  const std::string_view text = value.string;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    value.kind = Value::Kind::null;
  } else if (text == "true" || text == "True" || text == "TRUE") {
    value.kind = Value::Kind::boolean;
    value.boolean = true;
  } else if (text == "false" || text == "False" || text == "FALSE") {
    value.kind = Value::Kind::boolean;
    value.boolean = false;
  } else if (parse_integer(text, value.integer)) {
    value.kind = Value::Kind::integer;
    value.number = static_cast<double>(value.integer);
  } else if (parse_number(text, value.number)) {
    value.kind = Value::Kind::number;
  }
}

bool take_type(Value& value, Value::Kind wanted) {
  const auto fits = [wanted](const Value& v) {
    return v.kind == wanted || (wanted == Value::Kind::number && v.kind == Value::Kind::integer);
  };
  if (fits(value)) return true;
  if (!value.whole_reference || !value.is_text()) return false;
  Value typed = value;
  typed.quoted = false;
  type_scalar(typed);
  if (!fits(typed)) return false;
  value = std::move(typed);
  return true;
}

}  // namespace sluice
