// So many log lines in a second and no more, with a count of those that were left out: what goes wrong with every event
// must not fill a disk. Values in, values out; whoever writes the lines owns one.
#pragma once

#include <cstdint>
#include <utility>

namespace sluice {

class LineLimit {
 public:
  explicit LineLimit(std::uint32_t per_second) : per_second_(per_second) {}

  /// How many were left out in a second that is over. Each is told once; ask before admit().
  [[nodiscard]] std::uint64_t left_out(std::uint64_t now_ns) {
    const std::uint64_t second = now_ns / 1'000'000'000;
    if (second == second_) return 0;
    second_ = second;
    written_ = 0;
    return left_out_so_far();
  }
  /// The same whether or not the second is over: at the end.
  [[nodiscard]] std::uint64_t left_out_so_far() { return std::exchange(left_out_, 0); }

  /// Whether one more may be written; counts it when not.
  [[nodiscard]] bool admit() {
    const bool may = written_ < per_second_;
    ++(may ? written_ : left_out_);
    return may;
  }

 private:
  std::uint64_t per_second_;
  std::uint64_t second_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace sluice
