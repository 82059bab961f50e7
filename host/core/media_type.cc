#include "core/media_type.hh"

#include <array>
#include <cstddef>

namespace sluice {

namespace {

constexpr auto kTokenCharacter = [] {
  std::array<bool, 256> allowed{};
  for (std::size_t c = 0x21; c < 0x7F; ++c) allowed[c] = true;
  for (const char c : std::string_view("()<>@,;:\\\"/[]?=")) allowed[static_cast<unsigned char>(c)] = false;
  return allowed;
}();

/// Takes the token at the front of text; empty when there is none.
std::string_view take_token(std::string_view& text) noexcept {
  std::size_t length = 0;
  while (length < text.size() && kTokenCharacter[static_cast<unsigned char>(text[length])]) ++length;
  const std::string_view token = text.substr(0, length);
  text.remove_prefix(length);
  return token;
}

bool take_quoted(std::string_view& text) noexcept {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
    if (text[i] == '\\') ++i;
  }
  return false;
}

void skip_blanks(std::string_view& text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

bool take_parameter(std::string_view& text) noexcept {
  text.remove_prefix(1);  // the semicolon
  skip_blanks(text);
  if (take_token(text).empty() || text.empty() || text.front() != '=') return false;
  text.remove_prefix(1);
  const bool valued = !text.empty() && text.front() == '"' ? take_quoted(text) : !take_token(text).empty();
  skip_blanks(text);
  return valued && (text.empty() || text.front() == ';');
}

bool is_json(std::string_view subtype) noexcept {
  if (subtype.size() < 4) return false;
  const std::string_view tail = subtype.substr(subtype.size() - 4);
  for (std::size_t i = 0; i < 4; ++i) {
    if ((tail[i] | 0x20) != "json"[i]) return false;
  }
  return subtype.size() == 4 || subtype[subtype.size() - 5] == '+';
}

}  // namespace

MediaType media_type_of(std::string_view text) noexcept {
  if (text == "application/json") return MediaType::json;
  if (take_token(text).empty() || text.empty() || text.front() != '/') return MediaType::malformed;
  text.remove_prefix(1);
  const std::string_view subtype = take_token(text);
  if (subtype.empty()) return MediaType::malformed;
  skip_blanks(text);
  while (!text.empty()) {
    if (text.front() != ';' || !take_parameter(text)) return MediaType::malformed;
  }
  return is_json(subtype) ? MediaType::json : MediaType::other;
}

}  // namespace sluice
