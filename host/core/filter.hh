// `when:` — the CloudEvents Subscriptions filters (exact, prefix, suffix, all, any, not, sql) and the shorthand
// `types:`. A bad filter is refused when it is made, never skipped. Pure.
#pragma once

#include <sluice/event.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A compiled filter. Immutable, shared by lanes, no allocation while matching.
class Filter {
 public:
  struct Term;
  /// From JSON text: a filter object, or an array of them that must all hold; an empty array passes everything.
  /// `types: [glob, …]` is accepted beside the dialects (`*` any run, `?` one character). On failure: nothing, and why,
  /// with the path of the bad part ("any[1].exact.type: …").
  [[nodiscard]] static std::optional<Filter> parse(std::string_view json, std::string& why);

  [[nodiscard]] bool matches(const sluice_event& event) const noexcept;

 private:
  std::shared_ptr<const Term> root_;
};

/// A pattern of `types:`: * stands for any run, ? for one character.
[[nodiscard]] bool type_matches(std::string_view pattern, std::string_view type) noexcept;

/// An attribute by its bare name ("type", "tenant", "specversion") in canonical string form; nothing when absent. The
/// text lies in the event's memory or is a literal.
[[nodiscard]] std::optional<std::string_view> attribute_of(const sluice_event& event, std::string_view name) noexcept;

}  // namespace sluice
