// The metrics that plugins define for themselves (ext/metrics.h): cells by node, name and labels. The plugin's lane
// writes a cell with no call and no lock; the admin server reads all of them from its own thread.
#pragma once

#include <sluice/ext/metrics.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace sluice {

struct MetricSample {
  std::string node, name, help;  // name: as the plugin gave it, without the "sluice_" prefix
  std::int32_t kind = SLUICE_COUNTER;
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};

/// Thread-safe. Outlives the nodes.
class PluginMetrics {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  /// The cell of that name and those labels, made when it is new. Null when the node's bound of series
  /// (limits::kSeriesPerNode) is reached, the name or a label is not fit for Prometheus, or the kind differs from
  /// before.
  [[nodiscard]] sluice_cell* cell(std::string_view node, std::int32_t kind, std::string_view name,
                                  std::string_view help, const Labels& labels);
  /// A node of that name exists; with its last user its cells go. (A reload has two of one name for a moment.)
  void add_user(std::string_view node);
  void remove_user(std::string_view node);

  /// All of them, ordered by name, then node, then labels: as /metrics must group them.
  [[nodiscard]] std::vector<MetricSample> samples() const;

 private:
  struct Series {
    std::string help;
    std::int32_t kind;
    sluice_cell cell;
  };
  using Key = std::tuple<std::string, std::string, Labels>;  // name, node, labels

  mutable std::mutex mutex_;
  std::map<Key, Series> series_;                            // a map: cells keep their address
  std::map<std::string, std::int32_t, std::less<>> kinds_;  // by name: one kind for all nodes
  std::map<std::string, std::uint32_t, std::less<>> series_of_node_, users_;
};

}  // namespace sluice
