#include "sketch.hh"

#include <algorithm>
#include <bit>
#include <cmath>

namespace metrics {
namespace {

constexpr int kExponentBias = 1023, kMantissaBits = 52, kBucketBits = 5;

}  // namespace

bool Sketch::add(std::uint32_t pane, double value, Budget& budget) {
  const auto bits = std::bit_cast<std::uint64_t>(std::abs(value));
  const int power = static_cast<int>(bits >> kMantissaBits) - kExponentBias;
  if (power < kSmallest) {
    ++zeros_[pane];
    return true;
  }
  const bool is_huge = power >= kLargest;
  const auto step = static_cast<std::uint32_t>(is_huge ? kOctaves - 1 : power - kSmallest);
  const auto bucket =
      is_huge ? kBuckets - 1 : static_cast<std::uint32_t>(bits >> (kMantissaBits - kBucketBits)) & (kBuckets - 1);
  const std::uint32_t octave = value < 0 ? kOctaves - 1 - step : kOctaves + step;
  if (where_[octave] == kNowhere) {
    const std::size_t more = std::size_t{panes_} * kBuckets;
    if (!budget.take(more * sizeof(std::uint32_t))) return false;
    where_[octave] = static_cast<std::uint8_t>(counts_.size() / more);
    counts_.resize(counts_.size() + more);
  }
  // Buckets of negative values lie the other way round, so that all of them rise from the first to the last.
  ++counts_[place(where_[octave], pane) + (value < 0 ? kBuckets - 1 - bucket : bucket)];
  return true;
}

void Sketch::clear(std::uint32_t pane) noexcept {
  zeros_[pane] = 0;
  const auto blocks = static_cast<std::uint32_t>(counts_.size() / (std::size_t{panes_} * kBuckets));
  for (std::uint32_t block = 0; block < blocks; ++block) {
    std::fill_n(counts_.begin() + place(block, pane), kBuckets, 0);
  }
}

std::uint64_t Sketch::sum_of(std::uint32_t octave, std::uint32_t bucket, PaneRange panes) const noexcept {
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0, pane = panes.first; i < panes.count; ++i, pane = pane + 1 == panes_ ? 0 : pane + 1) {
    sum += octave == 2 * kOctaves ? zeros_[pane] : counts_[place(where_[octave], pane) + bucket];
  }
  return sum;
}

void Sketch::quantiles(PaneRange panes, double least, double most, std::span<const double> shares,
                       std::span<double> into) const noexcept {
  // Two passes over at most some thousand buckets: how many there are, then where each rank falls.
  const auto walk = [&](auto&& visit) {
    for (std::uint32_t octave = 0; octave < 2 * kOctaves; ++octave) {
      if (octave == kOctaves && !visit(sum_of(2 * kOctaves, 0, panes), 0.0)) return;
      if (where_[octave] == kNowhere) continue;
      const bool is_negative = octave < kOctaves;
      const int power = static_cast<int>(is_negative ? kOctaves - 1 - octave : octave - kOctaves) + kSmallest;
      for (std::uint32_t bucket = 0; bucket < kBuckets; ++bucket) {
        const double part = (is_negative ? kBuckets - 1 - bucket : bucket) + 0.5;
        const double middle = std::ldexp(1 + part / kBuckets, power);
        if (!visit(sum_of(octave, bucket, panes), is_negative ? -middle : middle)) return;
      }
    }
  };
  std::uint64_t total = 0;
  walk([&](std::uint64_t count, double) { return total += count, true; });
  std::fill(into.begin(), into.end(), std::numeric_limits<double>::quiet_NaN());
  if (total == 0) return;
  std::uint64_t seen = 0;
  std::size_t next = 0;
  walk([&](std::uint64_t count, double middle) {
    seen += count;
    while (next < shares.size() && static_cast<double>(seen) >= shares[next] * static_cast<double>(total)) {
      if (seen == 0) break;
      into[next++] = std::clamp(middle, least, most);
    }
    return next < shares.size();
  });
}

}  // namespace metrics
