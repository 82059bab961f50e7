// Reads the members of one map of a configuration: typed, with every problem noted, and at the end every key that
// nobody asked for. Pure.
#pragma once

#include "core/document.hh"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

class MapReader {
 public:
  /// A null or absent map reads as empty; anything else that is no map is a problem, and reads as empty.
  MapReader(const Value* map, std::string path, Problems& problems);

  /// The member, or null when it is absent. Each key that is asked for is a known key from then on.
  const Value* take(const std::string& key);
  /// The same, without empty members (`key:` with nothing behind it).
  const Value* take_some(const std::string& key);

  std::optional<std::string> text(const std::string& key);
  std::optional<bool> boolean(const std::string& key);
  std::optional<std::int64_t> integer(const std::string& key, std::int64_t least, std::int64_t most);
  std::optional<double> number(const std::string& key, double least, double most);
  std::optional<std::chrono::milliseconds> duration(const std::string& key, std::chrono::milliseconds least,
                                                    std::chrono::milliseconds most);
  std::optional<std::uint64_t> size(const std::string& key, std::uint64_t least, std::uint64_t most);
  std::optional<double> rate(const std::string& key);
  /// A list of texts; a single text counts as a list of one.
  std::optional<std::vector<const Value*>> texts(const std::string& key);

  template <class T>
  void choice(const std::string& key, std::initializer_list<std::pair<const char*, T>> choices, T& out) {
    std::vector<std::string> names;
    for (const auto& [name, meaning] : choices) names.emplace_back(name);
    if (const auto i = choice_of(key, names)) out = (choices.begin() + *i)->second;
  }
  std::optional<std::size_t> choice_of(const std::string& key, const std::vector<std::string>& names);

  /// A key that is known and refused by name.
  void refuse(const std::string& key, const std::string& text);
  /// The same for a key of a later version, with what to do today.
  void later(const std::string& key, const std::string& instead) { refuse(key, "is not in this version; " + instead); }
  /// A key that has no effect here: said in a note. Returns its value.
  const Value* idle(const std::string& key, const std::string& why);
  /// Notes every key that was not asked for. Call it last.
  void done();

  [[nodiscard]] std::string path_of(std::string_view key) const;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  void wrong(const Value& where, const std::string& key, std::string text) {
    complain(problems_, where, path_of(key), std::move(text));
  }

 private:
  template <class T>
  std::optional<T> typed(const std::string& key, Value::Kind kind, const char* hint, T Value::*member);
  template <class Parse>
  auto with_unit(const std::string& key, const char* hint, Parse parse) -> decltype(parse(std::string_view{}));

  const Value* map_;
  std::string path_;
  Problems& problems_;
  std::vector<std::string> known_;
  std::vector<std::string> refused_;
};

/// "but is text" with the offending text, unless it may be a secret: for the end of a sentence.
[[nodiscard]] std::string but_is(const Value& value);

}  // namespace sluice
