#include "edge/delivery_figures.hh"

#include <algorithm>
#include <cmath>

namespace sluice {
namespace {

constexpr double kNsPerMs = 1e6;

void set_times(DeliveryFigures& figures, const MergedHistogram& times) {
  figures.average_ms = times.average() / kNsPerMs;
  figures.p50_ms = static_cast<double>(times.percentile(0.50)) / kNsPerMs;
  figures.p95_ms = static_cast<double>(times.percentile(0.95)) / kNsPerMs;
  figures.p99_ms = static_cast<double>(times.percentile(0.99)) / kNsPerMs;
}

}  // namespace

void MergedHistogram::add(const Histogram& histogram) noexcept {
  for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
    const std::uint64_t count = histogram.bucket(i);
    buckets_[i] += count;
    count_ += count;
  }
  sum_ += histogram.sum();
}

double MergedHistogram::average() const noexcept {
  return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

std::uint64_t MergedHistogram::percentile(double q) const noexcept {
  if (count_ == 0) return 0;
  const auto wanted = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_)));  // nearest rank
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= wanted) return Histogram::middle(i);
  }
  return Histogram::middle(buckets_.size() - 1);
}

double DeliveryFigures::success_rate() const noexcept {
  const std::uint64_t all = published + failed;
  return all == 0 ? 1 : static_cast<double>(published) / static_cast<double>(all);
}

DeliveryFigures figures_of(const NodeStats& backend) {
  DeliveryFigures figures;
  figures.published = total(backend, &TypeCounters::out);
  figures.failed =
      total(backend, &TypeCounters::rejected) + total(backend, &TypeCounters::failed) + backend.dropped_full.get();
  MergedHistogram times;
  times.add(backend.publish_ns);
  set_times(figures, times);
  return figures;
}

DeliveryFigures figures_of(const GraphView& graph) {
  DeliveryFigures figures;
  MergedHistogram times;
  for (const NodeView& node : graph.nodes) {
    if (node.kind == NodeKind::backend) times.add(node.stats->publish_ns);
    if (node.kind != NodeKind::source) continue;
    figures.published += node.stats->settled_delivered.get();
    figures.failed += node.stats->settled_rejected.get() + node.stats->settled_retry.get();
  }
  set_times(figures, times);
  return figures;
}

std::vector<TypeFigures> types_of(const GraphView& graph) {
  std::vector<TypeFigures> figures;
  const std::vector<std::string> names = graph.types == nullptr ? std::vector<std::string>{} : graph.types->names();
  for (std::size_t id = 0; id < names.size() && id < limits::kTypes; ++id) {
    TypeFigures of{names[id]};
    for (const NodeView& node : graph.nodes) {
      const TypeCounters& counters = node.stats->by_type[id];
      if (node.kind == NodeKind::source) of.received += counters.in.get();
      if (node.kind != NodeKind::backend) continue;
      of.delivered += counters.out.get();
      of.failed += counters.rejected.get() + counters.failed.get();
    }
    if (of.received + of.delivered + of.failed != 0) figures.push_back(std::move(of));
  }
  std::stable_sort(figures.begin(), figures.end(), [](const TypeFigures& a, const TypeFigures& b) {
    return std::max(a.received, a.delivered) > std::max(b.received, b.delivered);
  });
  return figures;
}

bool is_down(const NodeView& node) noexcept {
  const NodeState state = node.stats->state.load(std::memory_order_relaxed);
  const BreakerState breaker = node.stats->breaker.load(std::memory_order_relaxed);
  const bool keys_away =
      node.key_store != nullptr && node.key_store->state.load(std::memory_order_relaxed) == NodeState::away;
  return state == NodeState::broken || state == NodeState::away || breaker == BreakerState::open || keys_away;
}

}  // namespace sluice
