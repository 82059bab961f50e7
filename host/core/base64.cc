#include "core/base64.hh"

#include <array>
#include <cstdint>

namespace sluice {

namespace {
constexpr std::uint32_t kBad = 1u << 31;

constexpr auto kSextet = [] {
  std::array<std::uint32_t, 256> table{};
  for (auto& entry : table) entry = kBad;
  std::uint32_t value = 0;
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")) {
    table[static_cast<unsigned char>(c)] = value++;
  }
  return table;
}();

constexpr std::uint32_t sextet(char c) noexcept { return kSextet[static_cast<unsigned char>(c)]; }
}  // namespace

std::optional<std::size_t> decode_base64(std::string_view text, char* out) noexcept {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.empty()) return 0;
  const std::size_t pads = text.ends_with("==") ? 2 : text.back() == '=' ? 1 : 0;
  std::size_t written = 0;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const std::size_t padded = i + 4 == text.size() ? pads : 0;
    const std::uint32_t third = padded > 1 ? 0 : sextet(text[i + 2]);
    const std::uint32_t fourth = padded > 0 ? 0 : sextet(text[i + 3]);
    const std::uint32_t first = sextet(text[i]), second = sextet(text[i + 1]);
    if (((first | second | third | fourth) & kBad) != 0) return std::nullopt;
    const std::uint32_t bits = first << 18 | second << 12 | third << 6 | fourth;
    if (padded > 0 && (bits & (padded == 2 ? 0xFFFFu : 0xFFu)) != 0) return std::nullopt;
    out[written++] = static_cast<char>(bits >> 16);
    if (padded < 2) out[written++] = static_cast<char>(bits >> 8);
    if (padded < 1) out[written++] = static_cast<char>(bits);
  }
  return written;
}

}  // namespace sluice
