#include "core/map_reader.hh"

#include "core/scalar.hh"
#include "core/suggest.hh"
#include "core/units.hh"

#include <algorithm>
#include <charconv>

namespace sluice {
namespace {

constexpr std::size_t kShownText = 60;

std::string plain_number(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value);
  return {text, end.ptr};
}

}  // namespace

std::string but_is(const Value& value) {
  std::string text = std::string("but is ") + kind_name(value.kind);
  if (value.interpolated || value.secret || value.is_map() || value.is_list() || value.kind == Value::Kind::null) {
    return text;
  }
  text += ": " + value.string.substr(0, kShownText);
  return value.string.size() > kShownText ? text + "…" : text;
}

MapReader::MapReader(const Value* map, std::string path, Problems& problems)
    : map_(map), path_(std::move(path)), problems_(problems) {
  if (map_ == nullptr || map_->is_map()) return;
  if (map_->kind != Value::Kind::null) complain(problems_, *map_, path_, "must be a map of keys, " + but_is(*map_));
  map_ = nullptr;
}

std::string MapReader::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

const Value* MapReader::take(const std::string& key) {
  known_.push_back(key);
  return map_ == nullptr ? nullptr : map_->find(key);
}

const Value* MapReader::take_some(const std::string& key) {
  const Value* value = take(key);
  return value == nullptr || value->kind == Value::Kind::null ? nullptr : value;
}

template <class T>
std::optional<T> MapReader::typed(const std::string& key, Value::Kind kind, const char* hint, T Value::*member) {
  const Value* found = take(key);
  if (found == nullptr) return {};
  Value value = *found;
  if (take_type(value, kind)) return value.*member;
  wrong(*found, key, std::string("must be ") + hint + ", " + but_is(*found));
  return {};
}

std::optional<std::string> MapReader::text(const std::string& key) {
  const Value* found = take(key);
  if (found == nullptr) return {};
  if (found->is_text()) return found->string;
  const bool scalar = !found->is_map() && !found->is_list() && found->kind != Value::Kind::null;
  wrong(*found, key, "must be text, " + but_is(*found) + (scalar ? " (put it in quotes)" : ""));
  return {};
}

std::optional<bool> MapReader::boolean(const std::string& key) {
  return typed(key, Value::Kind::boolean, "true or false", &Value::boolean);
}

std::optional<std::int64_t> MapReader::integer(const std::string& key, std::int64_t least, std::int64_t most) {
  const auto value = typed(key, Value::Kind::integer, "a whole number", &Value::integer);
  if (!value || (*value >= least && *value <= most)) return value;
  wrong(
      *map_->find(key), key,
      "must be between " + std::to_string(least) + " and " + std::to_string(most) + ", not " + std::to_string(*value));
  return {};
}

std::optional<double> MapReader::number(const std::string& key, double least, double most) {
  const auto value = typed(key, Value::Kind::number, "a number", &Value::number);
  if (!value || (*value >= least && *value <= most)) return value;
  wrong(*map_->find(key), key,
        "must be between " + plain_number(least) + " and " + plain_number(most) + ", not " + plain_number(*value));
  return {};
}

template <class Parse>
auto MapReader::with_unit(const std::string& key, const char* hint, Parse parse)
    -> decltype(parse(std::string_view{})) {
  const Value* found = take(key);
  if (found == nullptr) return {};
  if (found->is_text()) {
    if (const auto value = parse(found->string)) return value;
  }
  wrong(*found, key, std::string("must be ") + hint + ", " + but_is(*found));
  return {};
}

std::optional<std::chrono::milliseconds> MapReader::duration(const std::string& key, std::chrono::milliseconds least,
                                                             std::chrono::milliseconds most) {
  const auto value = with_unit(key, kDurationHint, parse_duration);
  if (!value || (*value >= least && *value <= most)) return value;
  wrong(*map_->find(key), key,
        "must be between " + duration_text(least) + " and " + duration_text(most) + ", not " + duration_text(*value));
  return {};
}

std::optional<std::uint64_t> MapReader::size(const std::string& key, std::uint64_t least, std::uint64_t most) {
  const auto value = with_unit(key, kSizeHint, parse_size);
  if (!value || (*value >= least && *value <= most)) return value;
  wrong(*map_->find(key), key,
        "must be between " + size_text(least) + " and " + size_text(most) + ", not " + size_text(*value));
  return {};
}

std::optional<double> MapReader::rate(const std::string& key) {
  const auto value = with_unit(key, kRateHint, parse_rate);
  if (!value || *value > 0) return value;
  wrong(*map_->find(key), key, "must be more than 0; leave it out for no limit");
  return {};
}

std::optional<std::vector<const Value*>> MapReader::texts(const std::string& key) {
  const Value* found = take(key);
  if (found == nullptr) return {};
  if (found->is_text()) return std::vector<const Value*>{found};
  if (!found->is_list()) {
    wrong(*found, key, "must be a list of texts, " + but_is(*found));
    return {};
  }
  std::vector<const Value*> out;
  for (std::size_t i = 0; i < found->list.size(); ++i) {
    const Value& member = found->list[i];
    if (member.is_text()) {
      out.push_back(&member);
    } else {
      wrong(member, key + "[" + std::to_string(i) + "]", "must be text, " + but_is(member));
    }
  }
  return out;
}

std::optional<std::size_t> MapReader::choice_of(const std::string& key, const std::vector<std::string>& names) {
  const auto chosen = text(key);
  if (!chosen) return {};
  const auto found = std::ranges::find(names, *chosen);
  if (found != names.end()) return found - names.begin();
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  const std::string near = nearest(*chosen, names);
  const Value& where = *map_->find(key);
  wrong(where, key,
        "must be one of " + all + ", " + but_is(where) + (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
  return {};
}

void MapReader::refuse(const std::string& key, const std::string& text) {
  if (const Value* found = take(key); found != nullptr) complain_at_key(problems_, *found, path_of(key), text);
  known_.pop_back();  // known, but not to be suggested
  refused_.push_back(key);
}

const Value* MapReader::idle(const std::string& key, const std::string& why) {
  const Value* found = take(key);
  if (found != nullptr) complain_at_key(problems_, *found, path_of(key), "has no effect: " + why, Severity::note);
  return found;
}

void MapReader::done() {
  if (map_ == nullptr) return;
  for (const auto& [key, value] : map_->map) {
    if (std::ranges::find(known_, key) != known_.end() || std::ranges::find(refused_, key) != refused_.end()) continue;
    complain_at_key(problems_, value, path_of(key), "unknown key; " + suggestion(key, known_));
  }
}

}  // namespace sluice
