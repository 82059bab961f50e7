#include "core/set_value.hh"

#include <charconv>

namespace sluice {
namespace {

constexpr std::size_t kDeepest = 32;

/// The member of a list: an element that exists, or the one behind the last.
Value* element(Value& list, const std::string& key, const Value& like) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
  if (error != std::errc{} || end != key.data() + key.size() || index > list.list.size()) return nullptr;
  if (index == list.list.size()) {
    list.list.push_back(make_map(like));
    list.list.back().kind = Value::Kind::null;
  }
  return &list.list[index];
}

}  // namespace

std::optional<std::string> set_value(Value& root, const std::string& path, Value value) {
  Value* here = &root;
  std::string way;
  std::size_t start = 0;
  for (std::size_t depth = 0;; ++depth) {
    const std::size_t dot = path.find('.', start);
    const std::string key = path.substr(start, dot == std::string::npos ? dot : dot - start);
    if (key.empty()) return "has an empty part; write it as in backends.log.config.path";
    if (depth == kDeepest) return "is too deep";
    if (here->kind == Value::Kind::null) {
      *here = make_map(value);
    }
    if (here->is_list()) {
      here = element(*here, key, value);
      if (here == nullptr) return "\"" + key + "\" is no position in the list " + way;
    } else if (here->is_map()) {
      Value* member = here->find(key);
      if (member == nullptr) {
        Value empty = make_map(value);
        empty.kind = Value::Kind::null;
        member = &here->put(key, std::move(empty));
      }
      here = member;
    } else {
      return (way.empty() ? "the top" : way) + " is " + kind_name(here->kind) + " and has no member \"" + key + "\"";
    }
    way += (way.empty() ? "" : ".") + key;
    if (dot == std::string::npos) break;
    start = dot + 1;
  }
  *here = std::move(value);
  return {};
}

}  // namespace sluice
