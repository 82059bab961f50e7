#include "edge/json_text.hh"

#include <sluice/cpp/utf8.hh>

#include <charconv>
#include <cmath>
#include <cstdint>

namespace sluice {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kCut = "\xE2\x80\xA6";          // U+2026, "…"

constexpr char kHex[] = "0123456789abcdef";

std::string_view json_escape(char c, char (&buffer)[6]) noexcept {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  const auto code = static_cast<std::uint8_t>(c);
  if (code >= 0x20 && code != 0x7F) return {};
  buffer[0] = '\\', buffer[1] = 'u', buffer[2] = '0', buffer[3] = '0';
  buffer[4] = kHex[code >> 4], buffer[5] = kHex[code & 15];
  return {buffer, 6};
}

std::string_view plain_escape(char c, char (&buffer)[6]) noexcept {
  const auto code = static_cast<std::uint8_t>(c);
  if (code >= 0x20 && code != 0x7F) return {};
  if (c == '\n') return "\\n";
  if (c == '\t') return " ";
  buffer[0] = '\\', buffer[1] = 'x', buffer[2] = kHex[code >> 4], buffer[3] = kHex[code & 15];
  return {buffer, 4};
}

template <class Escape>
void append_escaped(std::string& out, std::string_view text, std::size_t bytes_max, Escape escape) {
  const std::size_t begin = out.size();
  std::size_t cut_at = begin;  // up to here the mark of a cut still fits behind what was written
  char buffer[6];
  while (!text.empty()) {
    std::uint32_t code = 0;
    std::size_t length = utf8_length(text, 0, code);
    std::string_view piece = length == 0 ? kReplacement : text.substr(0, length);
    if (length == 0) length = 1;
    if (const std::string_view escaped = length == 1 ? escape(text.front(), buffer) : ""; !escaped.empty()) {
      piece = escaped;
    }
    if (bytes_max - (out.size() - begin) < piece.size()) {
      out.resize(cut_at);
      out += kCut;
      return;
    }
    out += piece;
    if (bytes_max - (out.size() - begin) >= kCut.size()) cut_at = out.size();
    text.remove_prefix(length);
  }
}

}  // namespace

void append_safe_json_string(std::string& out, std::string_view text, std::size_t bytes_max) {
  out += '"';
  append_escaped(out, text, bytes_max, json_escape);
  out += '"';
}

std::string safe_json_string(std::string_view text) {
  std::string out;
  append_safe_json_string(out, text);
  return out;
}

void append_plain(std::string& out, std::string_view text, std::size_t bytes_max) {
  append_escaped(out, text, bytes_max, plain_escape);
}

std::string safe_utf8(std::string_view text) {
  std::string out;
  append_escaped(out, text, std::string::npos, [](char, char(&)[6]) { return std::string_view(); });
  return out;
}

void append_json_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  out.append(buffer, end);
}

}  // namespace sluice
