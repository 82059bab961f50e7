// Figures that several pages show, computed in one place: what was published, how much of it failed, how long it took.
// Pure.
#pragma once

#include "core/node_view.hh"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

/// Several histograms of one unit as one.
class MergedHistogram {
 public:
  void add(const Histogram& histogram) noexcept;
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] double average() const noexcept;
  /// The value below which the share q (0..1) lies; 0 when empty.
  [[nodiscard]] std::uint64_t percentile(double q) const noexcept;

 private:
  std::array<std::uint64_t, Histogram::kBuckets> buckets_{};
  std::uint64_t count_ = 0, sum_ = 0;
};

struct DeliveryFigures {
  std::uint64_t published = 0, failed = 0;
  double average_ms = 0, p50_ms = 0, p95_ms = 0, p99_ms = 0;  // from offered to answered

  /// 1 when nothing was published and nothing failed.
  [[nodiscard]] double success_rate() const noexcept;
};

/// One backend: its own deliveries, and what it gave up on.
[[nodiscard]] DeliveryFigures figures_of(const NodeStats& backend);
/// The whole graph. An event counts once however many backends took it: published and failed are what the sources were
/// told of their records. The times are those of all backends together.
[[nodiscard]] DeliveryFigures figures_of(const GraphView& graph);

/// What happened to one type of event, over all nodes.
struct TypeFigures {
  std::string type;
  std::uint64_t received = 0;   // by sources
  std::uint64_t delivered = 0;  // by backends: once per backend
  std::uint64_t failed = 0;     // given up by backends
};
/// The types that occurred, most frequent first.
[[nodiscard]] std::vector<TypeFigures> types_of(const GraphView& graph);

/// Broken, away, held back by its breaker, or waiting for the store of its keys: events cannot pass.
[[nodiscard]] bool is_down(const NodeView& node) noexcept;

}  // namespace sluice
