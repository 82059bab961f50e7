// Reads one text out of an event's data. The only file that knows simdjson.
#pragma once

#include <sluice/cpp/event_view.hh>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace handover {

class DataReader {
 public:
  DataReader();
  DataReader(const DataReader&) = delete;
  DataReader& operator=(const DataReader&) = delete;
  ~DataReader();

  /// The text (or the number, as written) at a JSON pointer; nothing when there is none. Valid until the next call.
  [[nodiscard]] std::optional<std::string_view> read(sluice::EventView event, const std::string& pointer);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::string text_;
};

}  // namespace handover
