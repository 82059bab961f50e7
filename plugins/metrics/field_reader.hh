// Reads numbers out of an event's data. The only file that knows simdjson.
#pragma once

#include <sluice/cpp/event_view.hh>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace metrics {

class FieldReader {
 public:
  explicit FieldReader(const std::vector<std::string>& pointers);
  ~FieldReader();

  /// Looks for the fields whose bits are set and puts what it finds into values (one place per field).
  void read(sluice::EventView event, std::uint32_t wanted, std::vector<std::optional<double>>& values);

 private:
  struct Pointer {
    std::string text;
    std::string last_key;  // data without these bytes cannot hold the field: no need to parse it
  };
  struct Parser;
  std::vector<Pointer> pointers_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace metrics
