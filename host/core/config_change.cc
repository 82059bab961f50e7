#include "core/config_change.hh"

#include "core/graph_text.hh"

#include <sluice/module.h>

#include <algorithm>
#include <map>
#include <string_view>

namespace sluice {
namespace {

/// Values by key, from the lines that `sluice graph` shows: what is shown there is what runs.
using Settings = std::map<std::string, std::string, std::less<>>;

Settings settings_of(const std::string& text) {
  Settings settings;
  std::string_view rest = text;
  bool in_delivery = false;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::size_t indent = line.find_first_not_of(' ');
    if (indent == std::string_view::npos) continue;
    in_delivery = in_delivery && indent > 4;
    line.remove_prefix(indent);
    if (line.starts_with("# ")) line.remove_prefix(2);  // "# rate_limit: none"
    const std::string_view key = line.substr(0, line.find(':'));
    if (key == "delivery") {
      in_delivery = true;
      continue;
    }
    settings[(in_delivery ? "delivery." : "") + std::string(key)] = line;
  }
  return settings;
}

std::vector<std::string> differing_keys(const Settings& before, const Settings& after) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : before) {
    const auto now = after.find(key);
    if (now == after.end() || now->second != value) keys.push_back(key);
  }
  for (const auto& [key, value] : after) {
    if (!before.contains(key)) keys.push_back(key);
  }
  return keys;
}

/// Read by the lane whenever it needs them, so they may become others between two of its steps.
bool is_number_of_delivery(std::string_view key, const NodeConfig& node) {
  constexpr std::string_view kNumbers[] = {"delivery.breaker", "delivery.rate_limit", "delivery.publish_deadline",
                                           "delivery.max_batch", "delivery.max_in_flight"};
  if (std::ranges::find(kNumbers, key) != std::end(kNumbers)) return true;
  return key == "delivery.retry" && !node.delivery.spool.on();  // a spool has its own copy of it
}

bool same_secrets(const NodeConfig& a, const NodeConfig& b) {
  const bool stores = a.dedup && b.dedup && !a.dedup->shared.empty() && !b.dedup->shared.empty();
  return !stores || a.dedup->shared.front().config_json == b.dedup->shared.front().config_json;
}

class Comparison {
 public:
  Comparison(const KnownConfig& running, const KnownConfig& next) : running_(running), next_(next) {}

  ConfigChange result() {
    host();
    for (std::size_t i = 0; i < running_.config.nodes.size(); ++i) {
      const NodeConfig& node = running_.config.nodes[i];
      const NodeConfig* now = next_.config.find(node.name);
      if (now == nullptr || now->kind != node.kind) {
        change_.restart.push_back(node.path + " (removed)");
      } else {
        one(i, static_cast<std::size_t>(now - next_.config.nodes.data()));
      }
    }
    for (const NodeConfig& node : next_.config.nodes) {
      const NodeConfig* before = running_.config.find(node.name);
      if (before == nullptr || before->kind != node.kind) change_.restart.push_back(node.path + " (new)");
    }
    return std::move(change_);
  }

 private:
  void host() {
    const Config &before = running_.config, &after = next_.config;
    change_.log_level = before.log.level != after.log.level;
    Settings was = settings_of(host_as_text(before)), is = settings_of(host_as_text(after));
    for (Settings* settings : {&was, &is}) {
      settings->erase("plugins");  // where classes are found: what matters is what is found
      settings->erase("log");
    }
    if (before.log.format != after.log.format || before.log.events != after.log.events ||
        before.log.events_per_second != after.log.events_per_second) {
      change_.restart.emplace_back("log (but for its level)");
    }
    for (std::string& key : differing_keys(was, is)) change_.restart.push_back(std::move(key));
    if (before.events_dialect != after.events_dialect) change_.restart.emplace_back("sluice: or events:");
    const EventConsumer &old = before.consumer, &now = after.consumer;
    if (old.node != now.node || old.stream != now.stream || old.group != now.group ||
        old.hands_over != now.hands_over) {
      change_.restart.emplace_back("event_consumer");
    }
  }

  void one(std::size_t running, std::size_t next) {
    const NodeConfig &before = running_.config.nodes[running], &after = next_.config.nodes[next];
    NodeChange change{running, next, {}, {}};
    const auto restart = [&](const std::string& key) { change_.restart.push_back(after.path + "." + key); };
    for (const std::string& key :
         differing_keys(settings_of(settings_as_text(before)), settings_of(settings_as_text(after)))) {
      if (before.kind == NodeKind::backend && is_number_of_delivery(key, before)) {
        change.numbers.push_back(key.substr(key.find('.') + 1));
      } else {
        restart(key);
      }
    }
    if (!same_secrets(before, after)) restart("dedup");
    instances(change, restart);
    if (!change.replaced.empty() || !change.numbers.empty()) change_.nodes.push_back(std::move(change));
  }

  template <class Restart>
  void instances(NodeChange& change, const Restart& restart) {
    const NodeConfig &before = running_.config.nodes[change.running], &after = next_.config.nodes[change.next];
    const bool other_class = before.klass != after.klass;
    if (!other_class && before.config_json == after.config_json && before.fan_out_json == after.fan_out_json) return;
    const std::uint32_t had = running_.facts[change.running].flags, has = next_.facts[change.next].flags;
    const bool observer = before.kind == NodeKind::consumer && (had & has & SLUICE_OBSERVER) != 0;
    if (before.kind != NodeKind::backend && !observer) {
      if (other_class) restart("class");
      if (before.config_json != after.config_json) restart("config");
      return;
    }
    if (before.delivery.ordering.by_key && ((had ^ has) & SLUICE_KEEPS_ORDER) != 0) {
      return restart("class (it keeps order differently, and delivery.ordering is set)");
    }
    if (before.fan_out != after.fan_out || before.fan_out_json.size() != after.fan_out_json.size()) {
      return restart("config." + (after.fan_out.empty() ? before.fan_out : after.fan_out) +
                     " (another number of lanes)");
    }
    if (after.fan_out_json.empty()) return change.replaced.push_back(0);
    for (std::uint32_t i = 0; i < after.fan_out_json.size(); ++i) {
      if (other_class || before.fan_out_json[i] != after.fan_out_json[i]) change.replaced.push_back(i);
    }
  }

  const KnownConfig running_, next_;
  ConfigChange change_;
};

}  // namespace

ConfigChange compare(const KnownConfig& running, const KnownConfig& next) { return Comparison(running, next).result(); }

}  // namespace sluice
