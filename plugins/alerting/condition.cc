#include "condition.hh"

#include <sluice/cpp/guard.hh>

#include <array>
#include <utility>

namespace alerting {
namespace {

std::string_view next_word(std::string_view& rest) {
  const std::size_t begin = std::min(rest.find_first_not_of(' '), rest.size());
  rest.remove_prefix(begin);
  const std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw sluice::BadConfig("\"" + std::string(text) + "\": " + why +
                          "; a condition is written like /success_rate < 0.6");
}

}  // namespace

Condition::Condition(std::string_view text, JsonReader& data) {
  std::string_view rest = text;
  const std::string pointer(next_word(rest));
  if (pointer.empty() || pointer.front() != '/') refuse(text, "it does not begin with a JSON pointer into data");
  place_ = data.place_of(pointer);
  const std::string_view word = next_word(rest);
  constexpr std::array<std::pair<std::string_view, Compare>, 7> kWords{{{"<", Compare::less},
                                                                        {"<=", Compare::at_most},
                                                                        {">", Compare::more},
                                                                        {">=", Compare::at_least},
                                                                        {"==", Compare::equal},
                                                                        {"!=", Compare::differs},
                                                                        {"exists", Compare::exists}}};
  bool known = false;
  for (const auto& [name, compare] : kWords) {
    if (name != word) continue;
    compare_ = compare;
    known = true;
  }
  if (!known) refuse(text, "\"" + std::string(word) + "\" is none of < <= > >= == != exists");
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  if (compare_ == Compare::exists) {
    if (!rest.empty()) refuse(text, "nothing may stand behind exists");
    return;
  }
  JsonReader reader;
  const auto value = reader.open(rest, false) ? reader.at("") : std::nullopt;
  if (!value || value->kind == JsonField::Kind::list || value->kind == JsonField::Kind::map) {
    refuse(text, "\"" + std::string(rest) + "\" is no number, \"text\", true, false or null");
  }
  const bool sorts = value->kind == JsonField::Kind::number || value->kind == JsonField::Kind::text;
  if (!sorts && compare_ != Compare::equal && compare_ != Compare::differs) {
    refuse(text, "only numbers and texts are less or more than something");
  }
  value_ = *value;
}

bool Condition::ordered(Compare compare, int order) noexcept {
  switch (compare) {
    case Compare::less:
      return order < 0;
    case Compare::at_most:
      return order <= 0;
    case Compare::more:
      return order > 0;
    case Compare::at_least:
      return order >= 0;
    case Compare::equal:
      return order == 0;
    case Compare::differs:
      return order != 0;
    case Compare::exists:
      break;
  }
  return true;
}

bool Condition::holds(JsonReader& data) const {
  const JsonGlance* found = data.glance(place_);
  if (found == nullptr) return false;
  if (compare_ == Compare::exists) return true;
  if (found->kind != value_.kind) return false;
  switch (value_.kind) {
    case JsonField::Kind::number:
      return ordered(compare_, found->number < value_.number ? -1 : found->number > value_.number ? 1 : 0);
    case JsonField::Kind::boolean:
      return ordered(compare_, found->boolean == value_.boolean ? 0 : 1);
    case JsonField::Kind::text:
      return ordered(compare_, found->text.compare(value_.text));
    default:
      return ordered(compare_, 0);
  }
}

}  // namespace alerting
