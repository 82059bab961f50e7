// Rows that wait for the database: bounded in rows and bytes. What does not fit is refused, so that the oldest, which
// an outage began with, are kept in their order.
#pragma once

#include "columns.hh"

#include <cstddef>
#include <span>
#include <vector>

namespace sql {

class RowBuffer {
 public:
  RowBuffer(std::size_t rows_max, std::size_t bytes_max) : rows_max_(rows_max), bytes_max_(bytes_max) {}

  [[nodiscard]] bool fits(const Row& row) const noexcept {
    return size() < rows_max_ && bytes_ + row.bytes() <= bytes_max_;
  }
  [[nodiscard]] bool put(Row&& row);
  /// The oldest ones, at most `count`; valid until put or drop.
  [[nodiscard]] std::span<const Row> front(std::size_t count) const;
  void drop(std::size_t count);
  [[nodiscard]] std::size_t size() const noexcept { return rows_.size() - begin_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  const std::size_t rows_max_, bytes_max_;
  std::vector<Row> rows_;
  std::size_t begin_ = 0;  // those before it are written
  std::size_t bytes_ = 0;
};

}  // namespace sql
