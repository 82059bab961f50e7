#include "wants.hh"

#include <algorithm>
#include <utility>

namespace alerting {
namespace {

using Types = std::optional<std::vector<std::string>>;

/// A pattern has no way to say "a star": ? fits it, and every other character.
std::string literal(std::string text) {
  std::replace(text.begin(), text.end(), '*', '?');
  return text;
}

/// Every event must pass all of them, so the one with the fewest patterns bounds them.
Types of_all(const JsonReader& json, const std::string& at) {
  Types best;
  for (std::size_t i = 0; json.at(at + "/" + std::to_string(i)); ++i) {
    Types one = types_of_filter(json, at + "/" + std::to_string(i));
    if (one && (!best || one->size() < best->size())) best = std::move(one);
  }
  return best;
}

Types of_any(const JsonReader& json, const std::string& at) {
  std::vector<std::string> together;
  for (std::size_t i = 0; json.at(at + "/" + std::to_string(i)); ++i) {
    const Types one = types_of_filter(json, at + "/" + std::to_string(i));
    if (!one) return std::nullopt;
    together.insert(together.end(), one->begin(), one->end());
  }
  return together;
}

std::vector<std::string> texts(const JsonReader& json, const std::string& at) {
  std::vector<std::string> all;
  for (std::size_t i = 0;; ++i) {
    const auto one = json.at(at + "/" + std::to_string(i));
    if (!one) return all;
    all.push_back(one->text);
  }
}

}  // namespace

Types types_of_filter(const JsonReader& json, const std::string& at) {
  const auto filter = json.at(at);
  if (!filter) return std::nullopt;
  if (filter->kind == JsonField::Kind::list) return of_all(json, at);
  if (json.at(at + "/all")) return of_all(json, at + "/all");
  if (json.at(at + "/any")) return of_any(json, at + "/any");
  if (json.at(at + "/types")) return texts(json, at + "/types");
  if (const auto type = json.at(at + "/exact/type")) return Types({literal(type->text)});
  if (const auto type = json.at(at + "/prefix/type")) return Types({literal(type->text) + "*"});
  if (const auto type = json.at(at + "/suffix/type")) return Types({"*" + literal(type->text)});
  return std::nullopt;  // not, sql, or other attributes
}

}  // namespace alerting
