// What a node of class `aggregate` is asked to do, checked as a whole.
#pragma once

#include <sluice/cpp/config_view.hh>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace metrics {

struct AggregateSettings {
  struct Label {
    std::string name, from;
    std::uint32_t values_max = 0;
  };
  struct Field {
    std::string pointer, name;
  };
  struct Emit {
    std::string type;
    std::int64_t interval_ms = 0;
  };
  std::int64_t window_ms = 0, slide_ms = 0, lateness_ms = 0, ahead_max_ms = 0;
  bool event_time = false, by_type = true;
  std::vector<std::string> types;
  std::uint32_t types_max = 0;
  std::optional<Label> label;
  std::vector<Field> fields;
  std::vector<double> quantiles;  // rising
  std::optional<Emit> emit;
  std::uint64_t memory = 0;
  std::uint32_t series_max = 0;  // follows from the rest

  [[nodiscard]] std::uint32_t figures_per_series() const noexcept {
    return static_cast<std::uint32_t>(2 + fields.size() * (2 + quantiles.size()));
  }
};

/// Throws BadConfig that begins with the key which is wrong.
[[nodiscard]] AggregateSettings settings_from(const sluice::ConfigView& config);

}  // namespace metrics
