// A JSON text split into tokens by simdjson's first stage: where every bracket, colon, comma, string and scalar starts.
// The stage checks UTF-8, control characters in strings and that every string is closed; the grammar is left to
// JsonCursor. The only file that knows simdjson. It picks its best instruction set when the program starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace sluice {

class JsonTokens {
 public:
  enum class Failure : std::uint8_t { none, empty, encoding, syntax, too_large };

  JsonTokens();
  JsonTokens(JsonTokens&&) noexcept;
  ~JsonTokens();

  /// SLUICE_PADDING readable bytes must follow text. The offsets hold until the next call.
  [[nodiscard]] Failure split(std::string_view text);

  /// Offsets of the tokens, in order; one more entry follows that holds the length of the text.
  [[nodiscard]] std::span<const std::uint32_t> offsets() const noexcept { return offsets_; }

 private:
  struct Stage;
  std::unique_ptr<Stage> stage_;
  std::span<const std::uint32_t> offsets_;
};

}  // namespace sluice
