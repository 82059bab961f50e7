#include "window_cells.hh"

#include <charconv>

namespace metrics {
namespace {

sluice_cell* gauge(sluice::HostView host, std::string_view name, std::string_view help, const Labels& labels) {
  const sluice_host& raw = host.raw();
  const auto* metrics = static_cast<const sluice_metrics*>(raw.service(&raw, SLUICE_METRICS));
  if (metrics == nullptr) return nullptr;
  std::vector<sluice_str> flat;
  for (const auto& [key, value] : labels) {
    flat.push_back(sluice::str(key));
    flat.push_back(sluice::str(value));
  }
  return metrics->cell(&raw, SLUICE_GAUGE, sluice::str(name), sluice::str(help), flat.data(),
                       static_cast<std::uint32_t>(labels.size()));
}

std::string text_of(double share) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof(digits), share).ptr};
}

}  // namespace

WindowCells::WindowCells(sluice::HostView host, const Labels& labels, const std::vector<std::string_view>& fields,
                         std::span<const double> quantiles)
    : events_(gauge(host, "window_events", "Events in the window that closed last.", labels)),
      per_second_(gauge(host, "window_events_per_second", "Their rate over the window.", labels)) {
  for (const std::string_view field : fields) {
    Labels named = labels;
    named.emplace_back("field", field);
    Field made{gauge(host, "window_field_values", "Values of the field in the window that closed last.", named),
               gauge(host, "window_field_mean", "Their mean; NaN without any.", named),
               {}};
    for (const double share : quantiles) {
      const std::string text = text_of(share);
      Labels ranked = named;
      ranked.emplace_back("quantile", text);
      made.quantiles.push_back(gauge(host, "window_field_quantile",
                                     "So large is the value that this share of them does not exceed, within 1.6 %.",
                                     ranked));
    }
    fields_.push_back(std::move(made));
  }
}

void WindowCells::show(std::uint64_t count, double seconds) const noexcept {
  sluice::set(events_, static_cast<double>(count));
  sluice::set(per_second_, static_cast<double>(count) / seconds);
}

void WindowCells::show_field(std::size_t field, const Figures& figures,
                             std::span<const double> quantiles) const noexcept {
  const Field& one = fields_[field];
  sluice::set(one.values, static_cast<double>(figures.count));
  sluice::set(one.mean, figures.mean());
  for (std::size_t i = 0; i < quantiles.size(); ++i) sluice::set(one.quantiles[i], quantiles[i]);
}

}  // namespace metrics
