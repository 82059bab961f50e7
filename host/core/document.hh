// A configuration as a tree of values that remember where they stand. What the YAML reader makes, and what the
// dialects, the native format and the schema check work on. Pure.
#pragma once

#include "core/problem.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

/// The `file` of a value that came from the command line, and of one that came from the environment.
inline constexpr const char* kSetFile = "--set";
inline constexpr const char* kEnvironmentFile = "environment";

struct Value {
  enum class Kind : std::uint8_t { null, boolean, integer, number, string, list, map };

  // Out of line: inside the class the pairs of `map` are incomplete, and clang looks at them too early.
  Value();
  Value(const Value& other);
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other);
  Value& operator=(Value&& other) noexcept;
  ~Value();

  Kind kind = Kind::null;
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;
  std::string string;  // a string's text; for numbers and booleans the text as written
  std::vector<Value> list;
  std::vector<std::pair<std::string, Value>> map;  // in the order of the file
  Mark mark;
  std::string file;              // where the mark is: the file, "--set" or "environment"
  Mark key_mark;                 // where its key stands, for a member of a map
  std::string path;              // as the user wrote it, where a dialect moved the value; else empty
  bool quoted = false;           // written in quotes: never taken for a number
  bool interpolated = false;     // some ${...} in it has been replaced
  bool whole_reference = false;  // it was one ${...} and nothing else: takes the type that is wanted
  bool secret = false;           // came from a secret: never shown

  [[nodiscard]] const Value* find(std::string_view key) const noexcept;
  [[nodiscard]] Value* find(std::string_view key) noexcept;
  /// A nested member: at("delivery.retry") is find("delivery")->find("retry"); null when absent.
  [[nodiscard]] const Value* at(std::string_view dotted) const noexcept;
  Value& put(std::string key, Value value);  // replaces, or appends
  [[nodiscard]] bool is_text() const noexcept { return kind == Kind::string; }
  [[nodiscard]] bool is_map() const noexcept { return kind == Kind::map; }
  [[nodiscard]] bool is_list() const noexcept { return kind == Kind::list; }
};

/// Made values (by a dialect, by --set): they take over the place of `where`, so that problems point at the user's
/// line.
[[nodiscard]] Value make_string(std::string text, const Value& where);
[[nodiscard]] Value make_integer(std::int64_t integer, const Value& where);
[[nodiscard]] Value make_number(double number, const Value& where);
[[nodiscard]] Value make_boolean(bool boolean, const Value& where);
[[nodiscard]] Value make_map(const Value& where);
[[nodiscard]] Value make_list(const Value& where);

/// What a kind is called in a sentence: "text", "a number", "a list".
[[nodiscard]] const char* kind_name(Value::Kind kind) noexcept;

/// Notes what is wrong with a value. The value's own path (of a dialect) wins over `path`.
void complain(Problems& problems, const Value& where, const std::string& path, std::string text,
              Severity severity = Severity::error);
/// The same, pointing at the key instead of the value.
void complain_at_key(Problems& problems, const Value& where, const std::string& path, std::string text,
                     Severity severity = Severity::error);

/// Text as a JSON string, quotes included.
[[nodiscard]] std::string json_string(std::string_view text);
/// Canonical JSON: keys in file order, no spaces, strings escaped.
[[nodiscard]] std::string to_json(const Value& value);

}  // namespace sluice
