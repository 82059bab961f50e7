#include "edge/plugin_metrics.hh"

#include "core/limits.hh"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kLabelBytesMax = 512;
constexpr std::size_t kLabelsMax = 16;

bool good_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && name.size() <= kNameBytesMax && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

bool good_labels(const PluginMetrics::Labels& labels) {
  if (labels.size() > kLabelsMax) return false;
  return std::all_of(labels.begin(), labels.end(), [](const auto& label) {
    return good_name(label.first) && label.first != "node" && label.second.size() <= kLabelBytesMax;
  });
}

}  // namespace

sluice_cell* PluginMetrics::cell(std::string_view node, std::int32_t kind, std::string_view name, std::string_view help,
                                 const Labels& labels) {
  if (kind != SLUICE_COUNTER && kind != SLUICE_GAUGE) return nullptr;
  if (!good_name(name) || !good_labels(labels)) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto known_kind = kinds_.emplace(name, kind).first;
  if (known_kind->second != kind) return nullptr;
  const Key key{std::string(name), std::string(node), labels};
  const auto known = series_.find(key);
  if (known != series_.end()) return &known->second.cell;
  std::uint32_t& used = series_of_node_.emplace(node, 0u).first->second;
  if (used >= limits::kSeriesPerNode) return nullptr;
  ++used;
  sluice_cell zero{};
  if (kind == SLUICE_GAUGE) zero.value = 0;
  return &series_.emplace(key, Series{std::string(help.substr(0, kLabelBytesMax)), kind, zero}).first->second.cell;
}

void PluginMetrics::add_user(std::string_view node) {
  const std::lock_guard lock(mutex_);
  ++users_.emplace(node, 0u).first->second;
}

void PluginMetrics::remove_user(std::string_view node) {
  const std::lock_guard lock(mutex_);
  const auto user = users_.find(node);
  if (user == users_.end() || --user->second > 0) return;
  users_.erase(user);
  const auto count = series_of_node_.find(node);
  if (count != series_of_node_.end()) series_of_node_.erase(count);
  for (auto at = series_.begin(); at != series_.end();)
    at = std::get<1>(at->first) == node ? series_.erase(at) : std::next(at);
}

std::vector<MetricSample> PluginMetrics::samples() const {
  const std::lock_guard lock(mutex_);
  std::vector<MetricSample> out;
  out.reserve(series_.size());
  for (const auto& [key, series] : series_) {
    MetricSample& sample = out.emplace_back();
    std::tie(sample.name, sample.node, sample.labels) = key;
    sample.help = series.help;
    sample.kind = series.kind;
    if (series.kind == SLUICE_COUNTER) {
      sample.value = static_cast<double>(__atomic_load_n(&series.cell.count, __ATOMIC_RELAXED));
    } else {
      __atomic_load(&series.cell.value, &sample.value, __ATOMIC_RELAXED);
    }
  }
  return out;
}

}  // namespace sluice
