#include "row_buffer.hh"

#include <algorithm>

namespace sql {

bool RowBuffer::put(Row&& row) {
  if (!fits(row)) return false;
  bytes_ += row.bytes();
  rows_.push_back(std::move(row));
  return true;
}

std::span<const Row> RowBuffer::front(std::size_t count) const {
  return std::span(rows_).subspan(begin_, std::min(count, size()));
}

void RowBuffer::drop(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    bytes_ -= rows_[begin_ + i].bytes();
    rows_[begin_ + i] = {};
  }
  begin_ += count;
  // Moved together when at least half is gone: each row is moved once on average.
  if (begin_ * 2 < rows_.size()) return;
  rows_.erase(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(begin_));
  begin_ = 0;
}

}  // namespace sql
