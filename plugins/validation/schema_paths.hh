// The subschemas of a schema and how they lead to each other: whether references end, and how much they multiply. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace validation {

/// How patterns are matched: standing at all places at once instead of going back. A pattern costs no more than its
/// length times the text's, and no stack.
inline constexpr auto kPatternDialect = std::regex::ECMAScript
#ifdef __GLIBCXX__
                                        | std::regex_constants::__polynomial
#endif
    ;

/// A name as it stands in a JSON pointer.
[[nodiscard]] std::string pointer_escaped(std::string_view name);

/// Subschemas by JSON pointer. Two kinds of steps: in place (allOf, $ref …: the same value) and inside (properties …: a
/// value within it).
class SchemaPaths {
 public:
  void add(const std::string& path) { nodes_[path]; }
  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
  void in_place(const std::string& from, std::string to) { nodes_[from].in_place.push_back(std::move(to)); }
  void inside(const std::string& from, std::string to) { nodes_[from].inside.push_back(std::move(to)); }
  /// `reference` as written: #/$defs/a%20b
  void refer(const std::string& from, const std::string& reference);

  /// Throws BadSchema when a reference leads nowhere or comes back to the same value. True when the schema calls itself
  /// or is more than a thousand schemas once written out.
  [[nodiscard]] bool check_and_weigh();

 private:
  struct Node {
    std::vector<std::string> in_place, inside;
    std::string reference;
    std::uint8_t mark = 0;  // 1: on the way, 2: done
    std::size_t chain = 0;  // the longest way in place
    std::uint8_t weight_mark = 0;
    std::uint64_t weight = 0;
  };
  std::size_t chain_of(const std::string& path, std::size_t depth);
  std::uint64_t weight_of(const std::string& path, std::size_t depth);

  std::map<std::string, Node> nodes_;
};

}  // namespace validation
