// Reads the name of an event's run out of its data. The only file that knows simdjson.
#pragma once

#include <sluice/cpp/event_view.hh>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace validation {

class RunIdReader {
 public:
  explicit RunIdReader(std::string pointer);
  ~RunIdReader();

  /// The text (or the number, as written) at the pointer; nothing when there is none. Valid until the next call.
  [[nodiscard]] std::optional<std::string_view> read(sluice::EventView event);

 private:
  struct Parser;
  const std::string pointer_;
  std::string last_key_;  // data without these bytes cannot hold a run id: no need to parse it
  std::unique_ptr<Parser> parser_;
  std::string text_;
};

}  // namespace validation
