// Percentiles of a sliding window in bounded memory: a histogram whose buckets grow with the values, one per pane.
//
// Every power of two is split into 32 buckets of equal width, so a bucket is at most 1/32 of its values wide and its
// middle is less than 1.6 % away from each of them; that is read off a double's own bits, without a logarithm. Buckets
// are the same in every pane and for ever, so the panes of a window are merged by adding, which estimators that keep
// markers (P-square, in Boost.Accumulators) cannot do, and which bound no error either. Memory is taken by octave (one
// power of two, of one sign) the first time that a value falls into it, for all panes at once, and kept.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace metrics {

/// What the sketches of one node may take together.
class Budget {
 public:
  explicit Budget(std::uint64_t bytes) noexcept : left_(bytes) {}
  [[nodiscard]] bool take(std::uint64_t bytes) noexcept {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }

 private:
  std::uint64_t left_;
};

/// Some panes behind one another on a ring.
struct PaneRange {
  std::uint32_t first = 0, count = 0;
};

class Sketch {
 public:
  static constexpr double kErrorMax = 1.0 / 64;         // of a value whose magnitude is in the range below
  static constexpr int kSmallest = -32, kLargest = 48;  // powers of two: less counts as 0, more as the largest

  explicit Sketch(std::uint32_t panes) : panes_(panes), zeros_(panes) { where_.fill(kNowhere); }

  /// False when it was not counted because memory for its octave is not there.
  [[nodiscard]] bool add(std::uint32_t pane, double value, Budget& budget);
  void clear(std::uint32_t pane) noexcept;
  /// For each of the rising shares (0 to 1) the value that so many are not above; within [least, most]. NaN without
  /// any.
  void quantiles(PaneRange panes, double least, double most, std::span<const double> shares,
                 std::span<double> into) const noexcept;

 private:
  static constexpr std::uint32_t kBuckets = 32, kOctaves = kLargest - kSmallest;
  static constexpr std::uint8_t kNowhere = 0xff;
  static_assert(2 * kOctaves < kNowhere);
  [[nodiscard]] std::uint64_t sum_of(std::uint32_t octave, std::uint32_t bucket, PaneRange panes) const noexcept;
  [[nodiscard]] std::uint32_t place(std::uint32_t block, std::uint32_t pane) const noexcept {
    return (block * panes_ + pane) * kBuckets;
  }

  std::uint32_t panes_;
  std::vector<std::uint64_t> zeros_;                // by pane
  std::array<std::uint8_t, 2 * kOctaves> where_{};  // block of each octave; the negative ones first, largest first
  std::vector<std::uint32_t> counts_;               // by block, pane, bucket
};

}  // namespace metrics
