// Members of an event's data as text: one by name for log lines, and several by JSON pointer that together are a key.
#pragma once

#include <sluice/event.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// The value of data's top-level member `name`: a string's text, a scalar as written; empty when there is none.
[[nodiscard]] std::string data_field(const sluice_event& event, std::string_view name);

/// A key made of members of data. Keeps its parser and buffer between calls, so that it does not allocate. Not
/// thread-safe.
class DataKey {
 public:
  /// Requires: JSON pointers (RFC 6901) that name something below the root.
  explicit DataKey(std::vector<std::string> pointers);
  DataKey(DataKey&&) noexcept;
  ~DataKey();

  /// Empty when one of the members is absent or null, or data is not JSON. No two different sets of values are spelled
  /// alike. Valid until the next call.
  [[nodiscard]] std::string_view of(const sluice_event& event);

 private:
  struct Parser;
  std::vector<std::string> pointers_;
  std::unique_ptr<Parser> parser_;
  std::string key_;
};

/// Keys of `dedup.once` apart from all others.
[[nodiscard]] std::string once_key_space(std::string_view pointer);
/// How DataKey spells one member: a text, or the JSON of another value.
void spell_member(std::string& to, std::string_view value, bool is_text);

}  // namespace sluice
