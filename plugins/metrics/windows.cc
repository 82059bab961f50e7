#include "windows.hh"

#include <algorithm>

namespace metrics {

void Figures::add(double value) noexcept {
  ++count;
  sum += value;
  least = std::min(least, value);
  most = std::max(most, value);
}

void Figures::add(const Figures& more) noexcept {
  count += more.count;
  sum += more.sum;
  least = std::min(least, more.least);
  most = std::max(most, more.most);
}

std::int64_t Windows::pane_of(std::int64_t time_ns) const noexcept {
  const std::int64_t whole = time_ns / shape_.slide_ns;
  return whole - (time_ns % shape_.slide_ns < 0 ? 1 : 0);
}

std::uint32_t Windows::slot(std::int64_t pane) const noexcept {
  const std::int64_t rest = pane % ring_;
  return static_cast<std::uint32_t>(rest < 0 ? rest + ring_ : rest);
}

void Windows::add_series() {
  ++series_;
  counts_.resize(std::size_t{series_} * ring_);
  for (std::uint32_t i = 0; i < shape_.fields; ++i) fields_.push_back({std::vector<Figures>(ring_), Sketch(ring_)});
}

std::optional<std::uint32_t> Windows::slot_of(std::int64_t time_ns) const noexcept {
  const std::int64_t pane = pane_of(time_ns);
  if (!first_ || pane < *first_ || pane >= *first_ + ring_) return std::nullopt;
  return slot(pane);
}

void Windows::count(std::uint32_t slot, std::uint32_t series) noexcept {
  ++counts_[std::size_t{series} * ring_ + slot];
  ++held_;
}

bool Windows::add(std::uint32_t slot, std::uint32_t series, std::uint32_t field, double value) {
  Field& one = fields_[std::size_t{series} * shape_.fields + field];
  one.panes[slot].add(value);
  return one.sketch.add(slot, value, budget_);
}

void Windows::clear(std::int64_t pane) noexcept {
  const std::uint32_t at = slot(pane);
  for (std::uint32_t series = 0; series < series_; ++series) {
    std::uint64_t& count = counts_[std::size_t{series} * ring_ + at];
    if (count == 0) continue;
    held_ -= count;
    count = 0;
    for (std::uint32_t i = 0; i < shape_.fields; ++i) {
      Field& field = fields_[std::size_t{series} * shape_.fields + i];
      field.panes[at] = {};
      field.sketch.clear(at);
    }
  }
}

void Windows::advance(std::int64_t time_ns, const OnClosed& closed) {
  const std::int64_t now = pane_of(time_ns);
  if (!first_) first_ = now + 1 - shape_.panes;
  while (*first_ + shape_.panes <= now) {
    closed(Closed(*this, *first_));
    if (held_ == 0) {  // nothing but empty windows up to now: one of them has been told
      first_ = now + 1 - shape_.panes;
      return;
    }
    clear((*first_)++);
  }
}

std::uint64_t Windows::Closed::count(std::uint32_t series) const noexcept {
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < of_.shape_.panes; ++i) {
    sum += of_.counts_[std::size_t{series} * of_.ring_ + of_.slot(first_pane_ + i)];
  }
  return sum;
}

Figures Windows::Closed::figures(std::uint32_t series, std::uint32_t field) const noexcept {
  Figures all;
  const Field& one = of_.fields_[std::size_t{series} * of_.shape_.fields + field];
  for (std::uint32_t i = 0; i < of_.shape_.panes; ++i) all.add(one.panes[of_.slot(first_pane_ + i)]);
  return all;
}

void Windows::Closed::quantiles(std::uint32_t series, std::uint32_t field, std::span<const double> shares,
                                std::span<double> into) const noexcept {
  const Figures all = figures(series, field);
  of_.fields_[std::size_t{series} * of_.shape_.fields + field].sketch.quantiles(of_.range(first_pane_), all.least,
                                                                                all.most, shares, into);
}

}  // namespace metrics
