// Dead letters for people and for scripts. Pure.
#pragma once

#include "edge/dead_letter_store.hh"

#include <string>
#include <string_view>

namespace sluice {

/// One line of JSON without the event: what `sluice dlq list` prints into a pipe.
[[nodiscard]] std::string letter_line(const Letter& letter, std::string_view store);
/// One line of JSON with the event and the history.
[[nodiscard]] std::string letter_whole(const Letter& letter, std::string_view store);

/// A row of the table on a terminal of that many columns, and the row above it.
[[nodiscard]] std::string letter_heading();
[[nodiscard]] std::string letter_row(const Letter& letter, std::size_t columns);

}  // namespace sluice
