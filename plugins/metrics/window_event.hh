// What a closed window says of one series, as a CloudEvent. Pure.
#pragma once

#include "windows.hh"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace metrics {

struct WindowText {
  std::string_view node, event_type;
  std::int64_t start_unix_ns = 0, end_unix_ns = 0;
  const std::string* type = nullptr;  // null: all types together
  std::string_view label_name;        // empty: no label
  std::string_view label;
  std::uint64_t count = 0;
};

/// 0.95 is "p95", 0.999 is "p99_9".
[[nodiscard]] std::string quantile_name(double share);
/// The moment in RFC 3339, to the millisecond.
[[nodiscard]] std::string moment(std::int64_t unix_ns);

/// The event is written piece by piece: the head, a field each, the end.
[[nodiscard]] std::string event_head(const WindowText& of);
void append_field(std::string& text, bool first, std::string_view name, const Figures& figures,
                  std::span<const std::string> quantile_names, std::span<const double> quantiles);
void append_end(std::string& text);

}  // namespace metrics
