#include "core/run_report.hh"

#include <algorithm>

namespace sluice {
namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept { return a / b - (a % b < 0 ? 1 : 0); }

bool is_one_of(const std::vector<std::string>& types, std::string_view type) {
  return std::ranges::find(types, type) != types.end();
}

}  // namespace

void OutcomeTimes::add(std::int64_t unix_ns, const Outcomes& outcomes) {
  if (slots_.empty()) first_ = last_ = unix_ns;
  first_ = std::min(first_, unix_ns);
  last_ = std::max(last_, unix_ns);
  while (floor_div(last_, width_ns_) - floor_div(first_, width_ns_) >= kSlots) widen();
  slots_[floor_div(unix_ns, width_ns_)].add(outcomes);
}

void OutcomeTimes::widen() {
  width_ns_ *= 2;
  std::map<std::int64_t, Outcomes> wider;
  for (const auto& [slot, outcomes] : slots_) wider[floor_div(slot, 2)].add(outcomes);
  slots_ = std::move(wider);
}

std::vector<OutcomeTimes::Column> OutcomeTimes::columns(std::size_t count) const {
  if (slots_.empty() || count == 0) return {};
  const std::int64_t first = slots_.begin()->first, span = slots_.rbegin()->first - first + 1;
  const auto columns = std::min(static_cast<std::int64_t>(count), span);
  std::vector<Column> all(static_cast<std::size_t>(columns));
  for (std::int64_t i = 0; i < columns; ++i) {
    all[static_cast<std::size_t>(i)].from_unix_ns = (first + i * span / columns) * width_ns_;
  }
  for (const auto& [slot, outcomes] : slots_) {
    all[static_cast<std::size_t>((slot - first) * columns / span)].within.add(outcomes);
  }
  Outcomes so_far;
  for (Column& column : all) {
    so_far.add(column.within);
    column.so_far = so_far;
  }
  return all;
}

void RunReport::add(std::string_view type, std::optional<std::int64_t> unix_ns) {
  ++events_;
  const auto known = types_.find(std::string(type));
  if (known != types_.end()) {
    ++known->second;
  } else {
    ++types_[types_.size() < kTypesMax ? std::string(type) : "other"];
  }
  const Outcomes one{is_one_of(options_.success_types, type) ? 1u : 0u,
                     is_one_of(options_.failure_types, type) ? 1u : 0u};
  if (one.all() == 0) return;
  outcomes_.add(one);
  if (unix_ns) {
    times_.add(*unix_ns, one);
  } else {
    ++untimed_;
  }
  if (!drop_ && options_.threshold && outcomes_.all() >= options_.after && outcomes_.rate() < *options_.threshold) {
    drop_ = Drop{outcomes_.all(), outcomes_.rate(), unix_ns};
  }
}

std::vector<std::pair<std::string, std::uint64_t>> RunReport::types() const {
  std::vector<std::pair<std::string, std::uint64_t>> all(types_.begin(), types_.end());
  std::ranges::sort(
      all, [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
  return all;
}

}  // namespace sluice
