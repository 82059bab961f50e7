// The figures of one series at /metrics: of the window that closed last.
#pragma once

#include "windows.hh"

#include <sluice/cpp/host_view.hh>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace metrics {

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

class WindowCells {
 public:
  /// Asks the host for the cells: once per series.
  WindowCells(sluice::HostView host, const Labels& labels, const std::vector<std::string_view>& fields,
              std::span<const double> quantiles);

  void show(std::uint64_t count, double seconds) const noexcept;
  void show_field(std::size_t field, const Figures& figures, std::span<const double> quantiles) const noexcept;

 private:
  struct Field {
    sluice_cell *values, *mean;
    std::vector<sluice_cell*> quantiles;
  };
  sluice_cell *events_, *per_second_;
  std::vector<Field> fields_;
};

}  // namespace metrics
