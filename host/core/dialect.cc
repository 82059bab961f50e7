#include "core/dialect.hh"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace sluice {

Value dialect_section(const Value& root, const std::string& key) {
  const Value* found = root.find(key);
  Value copy = found == nullptr ? make_map(root) : *found;
  if (copy.kind == Value::Kind::null) copy.kind = Value::Kind::map;
  write_paths(copy, key);
  return copy;
}

void write_paths(Value& value, const std::string& path) {
  value.path = path;
  for (std::size_t i = 0; i < value.list.size(); ++i) write_paths(value.list[i], path + "[" + std::to_string(i) + "]");
  for (auto& [key, member] : value.map) write_paths(member, path + "." + key);
}

std::optional<std::string> override_of(const Surroundings& surroundings, const std::string& name) {
  auto text = surroundings.variable(name);
  return text && !text->empty() ? text : std::nullopt;
}

Value from_environment(const std::string& name, std::string text) {
  Value value;
  value.kind = Value::Kind::string;
  value.string = std::move(text);
  value.file = kEnvironmentFile;
  value.path = name;
  return value;
}

std::optional<bool> truth_of(const std::string& word) {
  const std::string lower = lower_case(word);
  if (lower == "true" || lower == "1" || lower == "yes" || lower == "on") return true;
  if (lower == "false" || lower == "0" || lower == "no" || lower == "off") return false;
  return {};
}

void note_idle(Problems& problems, const Value& value, const std::string& why) {
  complain_at_key(problems, value, value.path, "has no effect: " + why, Severity::note);
}

Value milliseconds_text(double ms, const Value& where) {
  return make_string(std::to_string(static_cast<std::int64_t>(std::llround(ms))) + "ms", where);
}

void put_default(Value& map, const char* key, Value value) {
  if (map.find(key) == nullptr) map.put(key, std::move(value));
}

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace sluice
