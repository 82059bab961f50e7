// Makes a row of an event. The only file pair that knows simdjson.
#pragma once

#include "columns.hh"

#include <sluice/cpp/event_view.hh>

#include <memory>
#include <optional>

namespace sql {

class RowReader {
 public:
  /// `table` must outlive the reader.
  explicit RowReader(const Table& table);
  ~RowReader();

  /// Nothing when the event lacks a required column. A value of another type counts as not there.
  [[nodiscard]] std::optional<Row> read(sluice::EventView event);

 private:
  struct Parser;
  const Table& table_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace sql
