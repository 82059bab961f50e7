// A condition on an event's data, as in `if:` of a rule: a JSON pointer, a comparison and a value.
//
//   /success_rate < 0.6      /reason == "early_validation_failed"      /metrics/stalled == true      /error exists
//
// What is not there, or of another type than the value, does not hold (`!=` included): an alert needs a reason.
#pragma once

#include "json_reader.hh"

#include <cstdint>
#include <string_view>

namespace alerting {

class Condition {
 public:
  /// `data` is the reader that it will be asked about. Throws sluice::BadConfig.
  Condition(std::string_view text, JsonReader& data);
  [[nodiscard]] bool holds(JsonReader& data) const;

 private:
  enum class Compare : std::uint8_t { less, at_most, more, at_least, equal, differs, exists };
  [[nodiscard]] static bool ordered(Compare compare, int order) noexcept;

  std::uint32_t place_ = 0;  // of its pointer, in the reader
  Compare compare_ = Compare::exists;
  JsonField value_;
};

}  // namespace alerting
