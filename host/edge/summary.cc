#include "edge/summary.hh"

#include "edge/delivery_figures.hh"
#include "edge/json_text.hh"

#include <algorithm>
#include <array>
#include <cstdio>

namespace sluice {
namespace {

constexpr std::size_t kTypesShown = 20;

std::string decimal(double number, const char* format = "%.2f") {
  std::array<char, 64> buffer;
  const int length = std::snprintf(buffer.data(), buffer.size(), format, number);
  return {buffer.data(), static_cast<std::size_t>(length)};
}

/// 98 of 100 is "98.00 %"; what is not all is never shown as 100.00 %.
std::string percent(const DeliveryFigures& figures) {
  const double rate = figures.success_rate() * 100;
  return (figures.failed == 0 ? "100.00" : decimal(std::min(rate, 99.99))) + " %";
}

/// Rows of cells, in columns: the first to the left, numbers to the right.
class Table {
 public:
  void row(std::vector<std::string> cells) {
    widths_.resize(std::max(widths_.size(), cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], cells[i].size());
    rows_.push_back(std::move(cells));
  }
  void append(std::string& out) const {
    for (const auto& cells : rows_) {
      std::string line = " ";
      for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string gap(widths_[i] - cells[i].size(), ' ');
        line += (i == 0 ? " " : "  ") + (i == 0 ? cells[i] + gap : gap + cells[i]);
      }
      out += line + "\n";
    }
  }

 private:
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
};

std::string plain(std::string_view text) {
  std::string out;
  append_plain(out, text, 128);
  return out;
}

void append_backends(std::string& out, const GraphView& graph) {
  Table table;
  table.row({"backend", "published", "failed", "success", "average ms", "p50 ms", "p95 ms", "p99 ms"});
  std::size_t count = 0;
  for (const NodeView& node : graph.nodes) {
    if (node.kind != NodeKind::backend) continue;
    const DeliveryFigures of = figures_of(*node.stats);
    table.row({plain(node.name), std::to_string(of.published), std::to_string(of.failed), percent(of),
               decimal(of.average_ms), decimal(of.p50_ms), decimal(of.p95_ms), decimal(of.p99_ms)});
    ++count;
  }
  if (count != 0) table.append(out += "\n");
}

void append_types(std::string& out, const GraphView& graph) {
  const std::vector<TypeFigures> types = types_of(graph);
  if (types.empty()) return;
  Table table;
  table.row({"event type", "received", "delivered", "failed"});
  for (std::size_t i = 0; i < std::min(types.size(), kTypesShown); ++i) {
    table.row({plain(types[i].type), std::to_string(types[i].received), std::to_string(types[i].delivered),
               std::to_string(types[i].failed)});
  }
  table.append(out += "\n");
  if (types.size() > kTypesShown) out += "  and " + std::to_string(types.size() - kTypesShown) + " more types\n";
}

void append_sources(std::string& out, const GraphView& graph) {
  Table table;
  table.row({"source", "records", "delivered", "dropped", "rejected", "not delivered"});
  std::size_t count = 0;
  for (const NodeView& node : graph.nodes) {
    if (node.kind != NodeKind::source) continue;
    const NodeStats& stats = *node.stats;
    table.row({plain(node.name), std::to_string(stats.records_in.get()), std::to_string(stats.settled_delivered.get()),
               std::to_string(stats.settled_dropped.get()), std::to_string(stats.settled_rejected.get()),
               std::to_string(stats.settled_retry.get())});
    ++count;
  }
  if (count != 0) table.append(out += "\n");
}

/// A plugin's lines under its node's name, each without control characters.
void append_plugin(std::string& out, const PluginSummary& plugin) {
  if (plugin.text.empty()) return;
  out += "\n  " + plain(plugin.node) + "\n";
  for (std::size_t at = 0; at < plugin.text.size();) {
    const std::size_t end = std::min(plugin.text.find('\n', at), plugin.text.size());
    out += "    ";
    append_plain(out, std::string_view(plugin.text).substr(at, end - at));
    out += '\n';
    at = end + 1;
  }
}

}  // namespace

std::string summary_text(const GraphView& graph, const std::vector<PluginSummary>& plugins) {
  const DeliveryFigures all = figures_of(graph);
  std::string out = "Summary: published " + std::to_string(all.published) + ", failed " + std::to_string(all.failed) +
                    ", success rate " + percent(all) + ", average latency " + decimal(all.average_ms) + " ms, p99 " +
                    decimal(all.p99_ms) + " ms\n";
  append_backends(out, graph);
  append_types(out, graph);
  append_sources(out, graph);
  for (const PluginSummary& plugin : plugins) append_plugin(out, plugin);
  return out;
}

std::vector<Field> summary_fields(const GraphView& graph) {
  const DeliveryFigures all = figures_of(graph);
  return {{"events_published", std::to_string(all.published), true},
          {"events_failed", std::to_string(all.failed), true},
          {"success_rate", decimal(all.success_rate(), "%.4f"), true},
          {"avg_latency_ms", decimal(all.average_ms, "%.3f"), true},
          {"p99_latency_ms", decimal(all.p99_ms, "%.3f"), true}};
}

}  // namespace sluice
