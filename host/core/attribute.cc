#include "core/attribute.hh"

#include <sluice/cpp/utf8.hh>

#include <array>
#include <cstddef>
#include <cstring>

namespace sluice {

namespace {

constexpr auto kNameCharacter = [] {
  std::array<bool, 256> allowed{};
  for (int c = 'a'; c <= 'z'; ++c) allowed[static_cast<std::size_t>(c)] = true;
  for (int c = '0'; c <= '9'; ++c) allowed[static_cast<std::size_t>(c)] = true;
  return allowed;
}();

constexpr std::uint64_t kOnes = 0x0101010101010101u;
constexpr std::uint64_t kHighBits = 0x8080808080808080u;

/// True when all eight bytes are printable ASCII. A borrow or carry between bytes can only turn true into false.
constexpr bool plain(std::uint64_t eight) noexcept {
  const std::uint64_t below_space = eight - kOnes * 0x20;
  const std::uint64_t above_tilde = eight + kOnes;
  return ((eight | below_space | above_tilde) & kHighBits) == 0;
}

constexpr bool allowed_code(std::uint32_t code) noexcept {
  if (code < 0x20 || (code >= 0x7F && code <= 0x9F)) return false;
  return (code & 0xFFFE) != 0xFFFE && !(code >= 0xFDD0 && code <= 0xFDEF);
}

bool allowed_codes(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    std::uint32_t code = 0;
    const std::size_t length = utf8_length(text, at, code);
    if (length == 0 || !allowed_code(code)) return false;
    at += length;
  }
  return true;
}

}  // namespace

bool is_attribute_name(std::string_view name) noexcept {
  for (const char c : name) {
    if (!kNameCharacter[static_cast<unsigned char>(c)]) return false;
  }
  return !name.empty();
}

bool is_attribute_text(std::string_view text) noexcept {
  if (text.size() < 8) return allowed_codes(text);
  const auto plain_at = [&](std::size_t at) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + at, 8);
    return plain(eight);
  };
  for (std::size_t at = 0; at + 8 <= text.size(); at += 8) {
    if (!plain_at(at)) return allowed_codes(text);
  }
  return plain_at(text.size() - 8) || allowed_codes(text);
}

}  // namespace sluice
