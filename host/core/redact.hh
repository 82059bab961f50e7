// Removes fields of an event's data by JSON pointer (RFC 6901), so that not a byte of them is left: in the data, in the
// event's JSON, under a name written with escapes, or in a second member of the same name.
#pragma once

#include "core/block.hh"
#include "core/event_json.hh"
#include "core/json_tokens.hh"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Keeps its buffers between calls: one per lane. Not thread-safe.
class Redactor {
 public:
  /// "" or a text of /-led steps, in which only ~0 and ~1 may follow a ~.
  [[nodiscard]] static bool is_pointer(std::string_view text) noexcept;

  /// Pointers that are none are ignored; the configuration refuses them before.
  explicit Redactor(const std::vector<std::string>& pointers);
  Redactor(Redactor&&) noexcept;
  ~Redactor();

  [[nodiscard]] bool empty() const noexcept { return pointers_ == 0; }

  /// False when the event holds none of the fields: publish it as it is. Otherwise `redacted` is the event without
  /// them, in the block; the rest of data keeps its source text. An array's elements are counted before any is removed.
  /// Data that claims to be JSON and is not is removed whole: what cannot be read cannot be cleared.
  [[nodiscard]] bool apply(const sluice_event& event, Block& block, sluice_event& redacted);

 private:
  struct Step;
  struct Pass;

  [[nodiscard]] bool surely_absent(std::string_view json) const noexcept;
  enum class Found { nothing, something, unreadable };
  Found remove_from(std::string_view json);

  std::unique_ptr<Step> root_;
  std::size_t pointers_ = 0;
  std::vector<std::string> needles_;  // "name" with its quotes: one for each pointer, while that is enough to look for
  bool needles_suffice_ = true;
  JsonTokens tokens_;
  std::string padded_, out_;
  EventWriter writer_;
};

}  // namespace sluice
