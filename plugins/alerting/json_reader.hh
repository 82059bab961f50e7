// Values inside JSON text: an event's data, a far side's answer, a part of the configuration. The only door to
// simdjson.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace alerting {

struct JsonField {
  enum class Kind : std::uint8_t { null, boolean, number, text, list, map } kind = Kind::null;
  bool boolean = false;
  double number = 0;
  std::string text;  // a text as it is; everything else as JSON
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

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace alerting
