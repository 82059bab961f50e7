// A JSON text as a tree that can be walked and changed without knowing who parsed it.
#pragma once

#include <sluice/cpp/encode.hh>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace validation {

struct JsonMember;

struct JsonTree {
  enum class Kind : std::uint8_t { null, boolean, number, text, list, map };
  Kind kind = Kind::null;
  bool truth = false;
  std::string text;  // of a text; of a number as it was written
  std::vector<JsonTree> items;
  std::vector<JsonMember> members;

  [[nodiscard]] bool is(Kind wanted) const noexcept { return kind == wanted; }
  /// Whether it can stand where a schema stands.
  [[nodiscard]] bool is_schema() const noexcept { return kind == Kind::map || kind == Kind::boolean; }
  [[nodiscard]] const JsonTree* find(std::string_view key) const noexcept;
};

struct JsonMember {
  JsonMember(std::string name, JsonTree tree) : first(std::move(name)), second(std::move(tree)) {}
  std::string first;
  JsonTree second;
};

inline const JsonTree* JsonTree::find(std::string_view key) const noexcept {
  for (const JsonMember& member : members) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

inline void append_json(std::string& out, const JsonTree& tree) {
  const auto quote = [&](std::string_view text) {
    out += '"';
    sluice::append_json_escaped(out, text);
    out += '"';
  };
  char separator = 0;
  const auto separate = [&] {
    if (separator != 0) out += separator;
    separator = ',';
  };
  switch (tree.kind) {
    case JsonTree::Kind::null:
      out += "null";
      return;
    case JsonTree::Kind::boolean:
      out += tree.truth ? "true" : "false";
      return;
    case JsonTree::Kind::number:
      out += tree.text;
      return;
    case JsonTree::Kind::text:
      return quote(tree.text);
    case JsonTree::Kind::list:
      out += '[';
      for (const JsonTree& item : tree.items) {
        separate();
        append_json(out, item);
      }
      out += ']';
      return;
    case JsonTree::Kind::map:
      out += '{';
      for (const auto& [name, value] : tree.members) {
        separate();
        quote(name);
        out += ':';
        append_json(out, value);
      }
      out += '}';
  }
}

}  // namespace validation
