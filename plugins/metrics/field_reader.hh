// Reads numbers, and the text that labels them, out of an event's data. The only file that knows simdjson.
#pragma once

#include <sluice/cpp/event_view.hh>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metrics {

class FieldReader {
 public:
  explicit FieldReader(const std::vector<std::string>& pointers, const std::string& label = {});
  ~FieldReader();

  /// Looks for the fields whose bits are set and puts what it finds into values (one place per field).
  /// With a label its text (a text, a number or a truth value as written), valid until the next call; empty: not there.
  std::string_view read(sluice::EventView event, std::uint32_t wanted, std::vector<std::optional<double>>& values);

 private:
  struct Pointer {
    std::string text;
    std::string last_key;  // data without these bytes cannot hold the field: no need to parse it
  };
  struct Parser;
  [[nodiscard]] static Pointer pointer_to(const std::string& text);
  std::vector<Pointer> pointers_;
  std::optional<Pointer> label_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace metrics
