#include "run_id.hh"

#include <sluice/event.h>

#include <simdjson.h>
#include <cstdint>
#include <cstring>

namespace validation {

static_assert(SLUICE_PADDING >= simdjson::SIMDJSON_PADDING, "the host's padding is enough for the parser");

namespace {

/// Sixteen bytes that the compiler compares at once on every processor that can.
using Block = unsigned char __attribute__((vector_size(16)));

Block block_at(const char* at) noexcept {
  Block block;
  std::memcpy(&block, at, sizeof(block));
  return block;
}
Block all(char c) noexcept { return Block{} + static_cast<unsigned char>(c); }

bool any(Block block) noexcept {
  std::uint64_t halves[2];
  std::memcpy(halves, &block, sizeof(halves));
  return (halves[0] | halves[1]) != 0;
}

/// False when the text has neither a backslash nor a place where the key's first two bytes and its last stand as they
/// do in the key. Reads up to 16 bytes and the key's length past the end: the host's padding.
bool looks_like_holding(std::string_view text, std::string_view key) noexcept {
  const Block first = all(key[0]), second = all(key[1]), last = all(key.back()), escape = all('\\');
  Block hit{};
  for (std::size_t i = 0; i < text.size(); i += sizeof(Block)) {
    const char* at = text.data() + i;
    const Block here = block_at(at);
    hit |= (Block)((here == first) & (block_at(at + 1) == second) & (block_at(at + key.size() - 1) == last));
    hit |= (Block)(here == escape);
  }
  return any(hit);
}

/// One quick pass rules out most texts; the others are searched properly.
bool may_hold(std::string_view text, std::string_view key) noexcept {
  const bool is_quick = key.size() >= 2 && key.size() + sizeof(Block) <= SLUICE_PADDING;
  if (is_quick && !looks_like_holding(text, key)) return false;
  return ::memmem(text.data(), text.size(), key.data(), key.size()) != nullptr ||
         ::memchr(text.data(), '\\', text.size()) != nullptr;
}

}  // namespace

struct RunIdReader::Parser {
  simdjson::ondemand::parser parser;
};

RunIdReader::RunIdReader(std::string pointer) : pointer_(std::move(pointer)), parser_(std::make_unique<Parser>()) {
  last_key_ = pointer_.substr(pointer_.rfind('/') + 1);
  // An escape in the pointer or in the key (unlikely in either) would hide it: then every event is parsed.
  if (last_key_.find('~') != std::string::npos) last_key_.clear();
  // A number may be a place in a list, any other key stands in quotes.
  if (last_key_.find_first_not_of("0123456789") != std::string::npos) last_key_ = '"' + last_key_ + '"';
}

RunIdReader::~RunIdReader() = default;

std::optional<std::string_view> RunIdReader::read(sluice::EventView event) {
  const std::string_view data = event.data();
  if (!event.has_data() || event.data_is_bytes() || data.empty()) return std::nullopt;
  if (!may_hold(data, last_key_)) return std::nullopt;
  simdjson::ondemand::document document;
  const simdjson::padded_string_view padded(data.data(), data.size(), data.size() + SLUICE_PADDING);
  if (parser_->parser.iterate(padded).get(document) != simdjson::SUCCESS) return std::nullopt;
  simdjson::ondemand::value value;
  if (document.at_pointer(pointer_).get(value) != simdjson::SUCCESS) return std::nullopt;
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    text_ = text;
    return text_;
  }
  simdjson::ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS || type != simdjson::ondemand::json_type::number) return std::nullopt;
  const std::string_view token = value.raw_json_token();
  text_ = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
  return text_;
}

}  // namespace validation
