// What keeps an alert from being told although it fires: a silence, or a worse alert that explains it (inhibition).
#pragma once

#include "alert.hh"

#include <string>
#include <vector>

namespace alerting {

/// Every name must have the value; a value may end with *. "rule" and "severity" may be asked for like labels.
struct Matcher {
  Labels wanted;
  [[nodiscard]] bool matches(const Labels& labels) const;
};

struct Silence {
  std::string id;
  Matcher matcher;
  std::int64_t from_ms = 0, until_ms = 0;  // until_ms 0: for ever
  std::string comment;
};

/// Alerts that match `target` are not told while one that matches `source` fires and the labels in `equal` are the
/// same.
struct Inhibition {
  Matcher source, target;
  std::vector<std::string> equal;
};

/// An alert's labels with its rule and severity among them, as matchers see it.
[[nodiscard]] Labels whole_labels(const Labels& labels, const std::string& rule, Severity severity);

/// The silences of `sluice alert silence`: one JSON object a line, {"id", "match", "from_ms", "until_ms", "comment"}; a
/// line {"id", "expired": true} ends one. What cannot be read is left out and counted.
[[nodiscard]] std::vector<Silence> silences_in(const std::string& lines, std::size_t& unreadable);

}  // namespace alerting
