#include "alert_command.hh"

#include "core/decode.hh"
#include "core/exit_code.hh"
#include "core/setup_error.hh"
#include "core/units.hh"
#include "edge/alert_plugin.hh"
#include "edge/crash_report.hh"
#include "edge/log.hh"
#include "edge/plugin_metrics.hh"
#include "edge/wall_clock.hh"
#include "side_run.hh"

#include <fstream>
#include <iostream>

namespace sluice {
namespace {

constexpr milliseconds kTestTimeout{30'000};

struct Lane {
  std::string name, config_json;
};

const NodeConfig& find_node(const Config& config, const std::string& name) {
  const NodeConfig* found = config.find(name);
  if (found == nullptr || found->kind != NodeKind::consumer) {
    throw SetupError("the configuration has no consumer \"" + name + "\"", kUsage);
  }
  return *found;
}

/// A list of recipients has a lane for each of them.
std::vector<Lane> lanes_of(const NodeConfig& node) {
  if (node.fan_out_json.empty()) return {{node.name, node.config_json}};
  std::vector<Lane> lanes;
  for (std::size_t i = 0; i < node.fan_out_json.size(); ++i) {
    lanes.push_back({node.name + "[" + std::to_string(i) + "]", node.fan_out_json[i]});
  }
  return lanes;
}

/// The events' format: that of the first source from which the node is reached.
EventFormat format_of(const Config& config, const NodeConfig& node) {
  const NodeConfig* here = &node;
  for (std::size_t steps = 0; here != nullptr && steps < config.nodes.size(); ++steps) {
    if (here->kind == NodeKind::source) return here->format;
    here = here->inputs.empty() ? nullptr : config.find(here->inputs.front().node);
  }
  return cloudevents_format();
}

int render(const OpenConfig& open, const NodeConfig& node, AlertPlugin& plugin) {
  Decoder decoder(format_of(open.config, node), open.config.limits);
  BlockPool pool;
  std::string line;
  int code = kClean;
  for (std::uint64_t number = 1; std::getline(std::cin, line); ++number) {
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    const BlockRef block = pool.take();
    const std::string_view kept = block->keep(line);
    sluice_record record{};
    record.ptr = reinterpret_cast<const std::uint8_t*>(kept.data());
    record.len = kept.size();
    record.parent = SLUICE_NO_PARENT;
    const std::string position = "line " + std::to_string(number);
    record.position = {position.data(), position.size()};
    if (const auto refused = decoder.decode(record, {"alert render", WallClock().unix_ns(), number}, *block)) {
      std::cerr << "sluice: line " << number << ": not an event: " << refused->reason << '\n';
      code = kUndelivered;
      continue;
    }
    for (const sluice_event& event : block->events) {
      if (node.when && !node.when->matches(event)) continue;
      const sluice_batch batch{sizeof(sluice_batch), 1, sizeof(sluice_event), 0, &event, 0};
      const Status status = plugin.render(&batch, std::cout);
      if (!status.ok()) throw SetupError(status.text);
    }
  }
  const Status status = plugin.render(nullptr, std::cout);
  if (!status.ok()) throw SetupError(status.text);
  return code;
}

std::string silence_line(const AlertCommand& command, const std::string& id, std::int64_t now_ms) {
  std::string line = "{\"id\":" + json_string(id);
  if (!command.end.empty()) return line + ",\"expired\":true}\n";
  line += ",\"match\":[";
  for (const std::string& pair : command.match) {
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == pair.npos) throw SetupError("--match: write it as label=value", kUsage);
    line += (line.back() == '[' ? "[" : ",[") + json_string(pair.substr(0, equals)) + "," +
            json_string(pair.substr(equals + 1)) + "]";
  }
  const auto span = parse_duration(command.span);
  if (!span || span->count() <= 0) throw SetupError("--for: " + std::string(kDurationHint), kUsage);
  line += "],\"from_ms\":" + std::to_string(now_ms) + ",\"until_ms\":" + std::to_string(now_ms + span->count()) +
          ",\"comment\":" + json_string(command.comment);
  return line + "}\n";
}

int silence(const AlertCommand& command, AlertPlugin& plugin, const std::string& name) {
  const std::string path = plugin.silences_path();
  if (path.empty()) throw SetupError(name + " keeps no state (state: none), so it cannot be silenced by command");
  if (command.list) {
    std::ifstream in(path);
    std::string line;
    while (std::getline(in, line)) std::cout << line << '\n';
    return kClean;
  }
  const std::int64_t now_ms = WallClock().unix_ns() / 1'000'000;
  const std::string id = command.end.empty() ? "s" + std::to_string(now_ms) : command.end;
  const std::string line = silence_line(command, id, now_ms);
  std::ofstream out(path, std::ios::app);
  out << line << std::flush;
  if (!out) throw SetupError(path + " cannot be written");
  std::cout << name << ": " << (command.end.empty() ? "silence " : "ended ") << id << '\n';
  return kClean;
}

/// What the far side refused for good lies beside the silences, under the same name.
int refused(AlertPlugin& plugin, const std::string& name) {
  constexpr std::string_view kSilences = ".silences";
  std::string path = plugin.silences_path();
  if (!path.ends_with(kSilences))
    throw SetupError(name + " keeps no state (state: none), so it keeps no refused messages");
  path.replace(path.size() - kSilences.size(), kSilences.size(), ".refused");
  for (const std::string& file : {path + ".1", path}) {
    std::ifstream in(file, std::ios::binary);
    std::string line;
    while (std::getline(in, line)) std::cout << line << '\n';
  }
  return kClean;
}

}  // namespace

int alert_command(const AlertCommand& command) {
  install_crash_report();
  using What = AlertCommand::What;
  const auto open = open_config(command.config, command.settings);
  if (!open) return kBadConfig;
  const NodeConfig& node = find_node(open->config, command.node);
  StreamLog log;
  const WallClock clock;
  PluginMetrics metrics;
  const LoadedClass loaded = open->library->load(node.kind, node.klass);
  int code = kClean;
  for (const Lane& lane : lanes_of(node)) {
    AlertPlugin plugin(loaded, {lane.name, lane.config_json, 0, 1}, {log, clock, metrics});
    if (command.what == What::render) return render(*open, node, plugin);  // every recipient gets the same
    if (command.what == What::silence) {
      code = std::max(code, silence(command, plugin, lane.name));
      continue;
    }
    if (command.what == What::refused) {
      code = std::max(code, refused(plugin, lane.name));
      continue;
    }
    const Status status = plugin.test(kTestTimeout);
    std::cout << lane.name << ": " << (status.ok() ? "sent" : "not sent: " + status.text) << '\n';
    if (!status.ok()) code = kUndelivered;
  }
  return code;
}

}  // namespace sluice
