#include "edge/log_line.hh"

#include "edge/json_text.hh"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::size_t kTextBytes = kLogLineBytes - kLogFrameBytes;
constexpr std::size_t kSentenceBytes = 1024;
constexpr std::size_t kKeyBytes = 64;
constexpr std::size_t kPunctuationBytes = 8;  // quotes, colon, comma, and the mark of a cut

/// What may still be written; a value needs a few bytes to be worth a field.
std::size_t room(const std::string& out, std::size_t begin) noexcept {
  const std::size_t used = out.size() - begin;
  return used >= kTextBytes ? 0 : kTextBytes - used;
}

bool needs_quotes(std::string_view value) noexcept {
  return value.empty() || value.find_first_of(" \t\n\"=") != std::string_view::npos;
}

void append_human_value(std::string& out, std::string_view value, std::size_t bytes_max) {
  if (needs_quotes(value))
    append_safe_json_string(out, value, bytes_max);
  else
    append_plain(out, value, bytes_max);
}

// A bare value goes into JSON as it is, so it must be a number or a literal whatever the caller promised.
bool is_json_literal(std::string_view value) noexcept {
  if (value == "true" || value == "false" || value == "null") return true;
  if (value.empty() || value.size() > 32) return false;
  const std::string_view digits = value.front() == '-' ? value.substr(1) : value;
  if (digits.empty() || (digits.size() > 1 && digits[0] == '0' && digits[1] != '.')) return false;
  std::size_t points = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] == '.')
      ++points;
    else if (digits[i] < '0' || digits[i] > '9')
      return false;
  }
  return points <= 1 && digits.front() != '.' && digits.back() != '.';
}

}  // namespace

void append_log_text(std::string& out, LogFormat format, std::string_view sentence, std::span<const Field> fields) {
  const std::size_t begin = out.size();
  const bool json = format == LogFormat::json;
  if (json) {
    out += "\"message\":";
    append_safe_json_string(out, sentence, kSentenceBytes);
  } else {
    append_plain(out, sentence, kSentenceBytes);
  }
  for (const Field& field : fields) {
    const std::size_t left = room(out, begin);
    if (left < field.key.size() + kPunctuationBytes + 8 || field.key.size() > kKeyBytes) continue;
    const std::size_t value_max = left - field.key.size() - kPunctuationBytes;
    if (json) {
      out += ',';
      append_safe_json_string(out, field.key);
      out += ':';
      if (field.bare && is_json_literal(field.value))
        out += field.value;
      else
        append_safe_json_string(out, field.value, value_max);
    } else {
      out += ' ';
      append_plain(out, field.key);
      out += '=';
      append_human_value(out, field.value, value_max);
    }
  }
}

}  // namespace sluice
