// Texts of a rule, filled in per event: Mustache, with what alerts need on top. The only door to the Mustache library.
//
//   {{type}} {{subject}} {{ext.tenant}} {{data.metrics.success_rate}} {{labels.run}} {{severity}}
//   {{#percent}}{{data.success_rate}}{{/percent}}           57%        ({{#percent}}…|1{{/percent}}: 57.1%)
//   {{#round}}{{data.rate}}|2{{/round}}                     3.14
//   {{#date}}{{time}}|%H:%M{{/date}}                        12:05, UTC
//   {{#default}}{{data.reason}}|unknown{{/default}}         what stands there when the first part is empty
//
// {{x}} is escaped for the format it goes to, {{{x}}} is not; what the template itself says is left as it is.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alerting {

/// Appends what a name stands for; false: nothing does.
using Lookup = std::function<bool(std::string_view name, std::string& out)>;
using Escape = std::string (*)(std::string_view text);

class TextTemplate {
 public:
  /// `known` says whether a name can stand for something. Throws sluice::BadConfig for a bad template or a name that
  /// means nothing.
  TextTemplate(const std::string& text, Escape escape, const std::function<bool(std::string_view)>& known);
  TextTemplate(TextTemplate&&) noexcept;
  TextTemplate& operator=(TextTemplate&&) noexcept;
  ~TextTemplate();

  /// At most bytes_max; what is longer is cut between two characters, with a mark.
  [[nodiscard]] std::string fill(const Lookup& lookup, std::size_t bytes_max) const;

 private:
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
};

[[nodiscard]] std::string escape_nothing(std::string_view text);
[[nodiscard]] std::string escape_slack(std::string_view text);  // & < >
[[nodiscard]] std::string escape_html(std::string_view text);

/// Cuts text between two characters so that it has at most bytes_max bytes, the mark among them.
[[nodiscard]] std::string cut(std::string text, std::size_t bytes_max);
/// RFC 3339 as events carry it: 2026-03-01T12:05:00.123Z or with an offset.
[[nodiscard]] std::optional<std::int64_t> moment_ms(const std::string& text);
/// "2026-03-01 12:05 UTC" with "%Y-%m-%d %H:%M UTC"; UTC always.
[[nodiscard]] std::string date_text(std::int64_t unix_ms, const char* format);

}  // namespace alerting
