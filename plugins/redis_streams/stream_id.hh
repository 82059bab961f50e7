// An entry's id, "milliseconds-sequence". Pure.
#pragma once

#include <charconv>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace redis_streams {

struct StreamId {
  std::uint64_t ms = 0, sequence = 0;
  auto operator<=>(const StreamId&) const = default;  // NOLINT(modernize-use-nullptr): it sees a 0 in what is generated

  [[nodiscard]] std::string text() const { return std::to_string(ms) + "-" + std::to_string(sequence); }
  /// The one behind it: servers before 6.2 have no exclusive ranges.
  [[nodiscard]] StreamId next() const noexcept {
    return sequence == UINT64_MAX ? StreamId{ms + 1, 0} : StreamId{ms, sequence + 1};
  }
};

/// What is no id reads as 0-0, which no entry has.
[[nodiscard]] inline StreamId parse_id(std::string_view text) noexcept {
  StreamId id;
  const char* end = text.data() + text.size();
  const auto [dash, error] = std::from_chars(text.data(), end, id.ms);
  if (error != std::errc{}) return {};
  if (dash == end) return id;
  if (*dash != '-' || dash + 1 == end || std::from_chars(dash + 1, end, id.sequence).ptr != end) return {};
  return id;
}

/// Appends the text of an id; the same as text(), without an allocation of its own.
inline void append_id(std::string& out, const StreamId& id) {
  char buffer[48];
  char* end = std::to_chars(buffer, buffer + sizeof buffer, id.ms).ptr;
  *end++ = '-';
  out.append(buffer, std::to_chars(end, buffer + sizeof buffer, id.sequence).ptr);
}

}  // namespace redis_streams
