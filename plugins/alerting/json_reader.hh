// Values inside JSON text: an event's data, a far side's answer, a part of the configuration. The only door to
// simdjson.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alerting {

struct JsonField {
  enum class Kind : std::uint8_t { null, boolean, number, text, list, map } kind = Kind::null;
  bool boolean = false;
  double number = 0;
  std::string text;  // a text as it is; everything else as JSON
};

/// The same without a copy: a text lies in the reader until it opens another one, everything else has none.
struct JsonGlance {
  JsonField::Kind kind = JsonField::Kind::null;
  bool boolean = false;
  double number = 0;
  std::string_view text;
};

class JsonReader {
 public:
  JsonReader();
  ~JsonReader();
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;

  /// False when it is not JSON. `padded`: SLUICE_PADDING readable bytes follow, so nothing is copied.
  bool open(std::string_view json, bool padded);
  /// What stands at the pointer ("" is the whole); nothing when there is nothing.
  [[nodiscard]] std::optional<JsonField> at(const std::string& pointer) const;

  /// For pointers that are asked for again and again: the number of the pointer, the same for the same.
  [[nodiscard]] std::uint32_t place_of(const std::string& pointer);
  /// What stands there; looked up once for each text, however many ask. Null: nothing.
  [[nodiscard]] const JsonGlance* glance(std::uint32_t place);

 private:
  struct Parser;
  struct Place {
    std::string pointer;
    std::uint64_t opened = 0;  // the text that was looked into
    std::optional<JsonGlance> found;
  };
  std::unique_ptr<Parser> parser_;
  std::vector<Place> places_;
  std::uint64_t opened_ = 0;  // counts texts
};

}  // namespace alerting
