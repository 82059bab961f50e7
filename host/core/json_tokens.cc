// simdjson's on-demand interface skips what nobody reads without checking it, and its DOM forgets where values stood.
// Both start from the same index of tokens, which costs a third of either: so the index is taken, and JsonCursor walks
// it once, strictly and with positions. The index is reached through simdjson's public header, though it calls the
// type internal; both Debian 12's 3.0 and the later 3.x have it in this form.
#include "core/json_tokens.hh"

#include <simdjson.h>

#include <algorithm>

namespace sluice {

namespace {
constexpr std::size_t kSmallBytes = 64 * 1024;    // kept between texts; more is given back after use
constexpr std::size_t kDepth = 1;                 // simdjson's own stack is not used
constexpr std::size_t kLargestText = 0xFFFF0000;  // offsets have 32 bits
}  // namespace

struct JsonTokens::Stage {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
  std::size_t capacity = 0;

  [[nodiscard]] bool reserve(std::size_t bytes) {
    const bool oversized = capacity > kSmallBytes && bytes <= kSmallBytes;
    if (parser != nullptr && bytes <= capacity && !oversized) return true;
    const std::size_t wanted = std::max(bytes, kSmallBytes);
    capacity = 0;
    const simdjson::implementation* best = simdjson::get_active_implementation();
    if (best->create_dom_parser_implementation(wanted, kDepth, parser) != simdjson::SUCCESS) return false;
    capacity = wanted;
    return true;
  }
};

JsonTokens::JsonTokens() : stage_(std::make_unique<Stage>()) {}
JsonTokens::JsonTokens(JsonTokens&&) noexcept = default;
JsonTokens::~JsonTokens() = default;

JsonTokens::Failure JsonTokens::split(std::string_view text) {
  offsets_ = {};
  if (text.empty()) return Failure::empty;
  if (text.size() > kLargestText || !stage_->reserve(text.size())) return Failure::too_large;
  auto& parser = *stage_->parser;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  switch (parser.stage1(bytes, text.size(), simdjson::stage1_mode::regular)) {
    case simdjson::SUCCESS:
      break;
    case simdjson::EMPTY:
      return Failure::empty;
    case simdjson::UTF8_ERROR:
      return Failure::encoding;
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC:
      return Failure::too_large;
    default:
      return Failure::syntax;
  }
  parser.structural_indexes[parser.n_structural_indexes] = static_cast<std::uint32_t>(text.size());
  offsets_ = {parser.structural_indexes.get(), parser.n_structural_indexes};
  return Failure::none;
}

}  // namespace sluice
