// Text from anywhere into what the host shows: log lines, pages, the terminal. Unlike sluice/cpp/encode.hh, which
// expects checked text, nothing that is put in here can make the result invalid or too long. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice {

/// Appends text as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so that the result is always
/// valid. The escaped text is cut at `bytes_max`, with "…" in place of the rest.
void append_safe_json_string(std::string& out, std::string_view text, std::size_t bytes_max = std::string::npos);
[[nodiscard]] std::string safe_json_string(std::string_view text);

/// Appends text for a terminal or a plain file: control characters become \xNN (no line breaks, no escape sequences
/// from the outside), bytes that are not UTF-8 become U+FFFD. Cut as above.
void append_plain(std::string& out, std::string_view text, std::size_t bytes_max = std::string::npos);

/// The text with bytes that are not UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string safe_utf8(std::string_view text);

/// A finite number as JSON, shortest form that reads back the same; others are null.
void append_json_number(std::string& out, double number);

}  // namespace sluice
