#include "core/wiring.hh"

#include "core/native_format.hh"
#include "core/suggest.hh"
#include "core/units.hh"

#include <sluice/module.h>

#include <algorithm>
#include <map>
#include <set>

namespace sluice {
namespace {

void at(Problems& problems, const NodeConfig& node, Mark mark, const std::string& key, std::string text,
        Severity severity = Severity::error) {
  problems.push_back({node.file, mark.line > 0 ? mark : node.mark, key.empty() ? node.path : node.path + "." + key,
                      std::move(text), severity});
}

bool takes_dead_letters(const Config& config, const std::string& name) {
  return std::ranges::any_of(config.nodes, [&](const NodeConfig& n) { return n.delivery.dead_letter == name; });
}

/// Looks at the nodes as a set of edges. Small graphs, cold path: plain maps by name.
class Wiring {
 public:
  Wiring(const Config& config, Problems& problems) : config_(config), problems_(problems) {
    for (const NodeConfig& node : config.nodes) {
      for (const Input& input : node.inputs) next_[input.node].insert(node.name);
      if (!node.delivery.dead_letter.empty()) next_[node.name].insert(node.delivery.dead_letter);
    }
  }

  void check() {
    for (const NodeConfig& node : config_.nodes) {
      check_inputs(node);
      if (node.kind != NodeKind::consumer) check_dead_letter(node);
      if (node.kind == NodeKind::backend) check_delivery(node);
      if (node.kind == NodeKind::backend) check_ordering(node);
      if (node.dedup) check_dedup(node, *node.dedup);
    }
    const bool circle = find_cycle();
    for (const NodeConfig& node : config_.nodes) {
      if (node.kind == NodeKind::source && !circle) check_source(node);
    }
  }

 private:
  std::vector<std::string> names(bool backends_only) const {
    std::vector<std::string> out;
    for (const NodeConfig& node : config_.nodes) {
      if (backends_only ? node.kind == NodeKind::backend : node.kind != NodeKind::backend) out.push_back(node.name);
    }
    return out;
  }

  void check_inputs(const NodeConfig& node) {
    for (const Input& input : node.inputs) {
      const NodeConfig* from = config_.find(input.node);
      if (from == nullptr) {
        at(problems_, node, input.mark, "inputs",
           "there is no node \"" + input.node + "\"; " + suggestion(input.node, names(false)));
      } else if (from->kind == NodeKind::backend) {
        at(problems_, node, input.mark, "inputs",
           "\"" + input.node + "\" is a backend: nothing comes out of it; name a source or a consumer");
      } else if (from->kind == NodeKind::source && !input.port.empty()) {
        at(problems_, node, input.mark, "inputs",
           "\"" + input.node + "\" is a source and has no ports; write only its name");
      }
    }
    if (node.kind != NodeKind::source && node.inputs.empty() && !takes_dead_letters(config_, node.name)) {
      at(problems_, node, node.mark, "",
         "has no inputs; name the sources or consumers that feed it, or run with --stdin to feed it standard input");
    }
  }

  /// Of a backend: what it gives up. Of a source: what cannot be decoded, and nobody can be told.
  void check_dead_letter(const NodeConfig& node) {
    const Delivery& delivery = node.delivery;
    if (delivery.dead_letter.empty()) return;
    const char* key = node.kind == NodeKind::source ? "dead_letter" : "delivery.dead_letter";
    const NodeConfig* target = config_.find(delivery.dead_letter);
    if (target == nullptr) {
      at(problems_, node, delivery.dead_letter_mark, key,
         "there is no backend \"" + delivery.dead_letter + "\"; " + suggestion(delivery.dead_letter, names(true)));
    } else if (target->kind != NodeKind::backend) {
      at(problems_, node, delivery.dead_letter_mark, key,
         "\"" + delivery.dead_letter + "\" is a " + kind_text(target->kind) + "; dead letters go to a backend");
    }
  }

  void check_delivery(const NodeConfig& node) {
    const Delivery& delivery = node.delivery;
    if (delivery.dead_letter.empty() && (delivery.when_full == WhenFull::dead_letter ||
                                         delivery.breaker.on_open == BreakerPolicy::OnOpen::dead_letter)) {
      const bool full = delivery.when_full == WhenFull::dead_letter;
      at(problems_, node, node.mark, full ? "delivery.when_full" : "delivery.breaker.on_open",
         "is dead_letter, but delivery.dead_letter names no backend");
    }
    if (delivery.dead_letter.empty() && delivery.spool.on() &&
        delivery.spool.on_full == SpoolPolicy::OnFull::dead_letter) {
      at(problems_, node, delivery.spool.mark, "delivery.spool.on_full",
         "is dead_letter, but delivery.dead_letter names no backend");
    }
    if (delivery.spool.on()) check_spool(node);
    if (delivery.queue.max_bytes < config_.limits.event_bytes) {
      at(problems_, node, node.mark, "delivery.queue.max_bytes",
         size_text(delivery.queue.max_bytes) +
             " is less than one event may have (limits.event_bytes: " + size_text(config_.limits.event_bytes) +
             "), so such an event would never fit; raise one or lower the other");
    }
  }

  void check_spool(const NodeConfig& node) {
    const SpoolPolicy& spool = node.delivery.spool;
    for (const NodeConfig& other : config_.nodes) {
      if (&other == &node) break;
      if (other.delivery.spool.path != spool.path) continue;
      at(problems_, node, spool.mark, "delivery.spool.path",
         json_string(spool.path) + " is the spool of \"" + other.name + "\" already; give each a folder of its own");
    }
    if (spool.max_bytes < 2 * config_.limits.event_bytes) {
      at(problems_, node, spool.mark, "delivery.spool.max_bytes",
         size_text(spool.max_bytes) + " is less than two events may have (limits.event_bytes: " +
             size_text(config_.limits.event_bytes) + "); raise one or lower the other");
    }
  }

  /// Depth first, with the way taken so far: names the whole circle once.
  bool find_cycle() {
    std::set<std::string> done;
    for (const NodeConfig& node : config_.nodes) {
      std::vector<std::string> way;
      if (cycle_from(node.name, way, done)) return true;
    }
    return false;
  }

  bool cycle_from(const std::string& name, std::vector<std::string>& way, std::set<std::string>& done) {
    if (const auto start = std::ranges::find(way, name); start != way.end()) {
      std::string text = "the graph runs in a circle: ";
      for (auto step = start; step != way.end(); ++step) text += *step + " → ";
      const NodeConfig* node = config_.find(name);
      if (node != nullptr) at(problems_, *node, node->mark, "", text + name);
      return true;
    }
    if (done.contains(name)) return false;
    way.push_back(name);
    if (const auto out = next_.find(name); out != next_.end()) {
      for (const std::string& target : out->second) {
        if (config_.find(target) != nullptr && cycle_from(target, way, done)) return true;
      }
    }
    way.pop_back();
    done.insert(name);
    return false;
  }

  [[nodiscard]] bool reads(const std::string& reader, const std::string& node) const {
    const NodeConfig* found = config_.find(reader);
    return found != nullptr &&
           std::ranges::any_of(found->inputs, [&](const Input& input) { return input.node == node; });
  }

  void collect(const std::string& name, bool with_dead_letters, std::set<std::string>& out) const {
    const auto edges = next_.find(name);
    if (edges == next_.end()) return;
    const NodeConfig* from = config_.find(name);
    for (const std::string& target : edges->second) {
      const bool dead_letter_edge = from != nullptr && (from->kind == NodeKind::backend ||
                                                        (target == from->delivery.dead_letter && !reads(target, name)));
      if ((dead_letter_edge && !with_dead_letters) || !out.insert(target).second) continue;
      collect(target, with_dead_letters, out);
    }
  }

  /// What is removed before the event reaches the lane cannot order it there.
  void check_ordering(const NodeConfig& node) {
    const std::string& key = node.delivery.ordering.key;
    if (!node.delivery.ordering.by_key || !key.starts_with('/')) return;
    for (const std::string& removed : node.redact) {
      if (key != removed && !key.starts_with(removed + "/")) continue;
      at(problems_, node, node.mark, "delivery.ordering.key",
         "is removed by redact " + removed + "; order by another key");
    }
  }

  void check_dedup(const NodeConfig& source, const DedupPolicy& dedup) {
    if (dedup.store == DedupPolicy::Store::memory) {
      at(problems_, source, dedup.mark, "dedup",
         "keeps its keys in memory: after a restart duplicates are not recognised (store: {path: FILE.db} keeps them)",
         Severity::note);
    }
    if (dedup.store != DedupPolicy::Store::file) return;
    for (const NodeConfig& other : config_.nodes) {
      if (&other == &source) return;
      if (other.dedup && other.dedup->store == DedupPolicy::Store::file && other.dedup->path == dedup.path) {
        at(problems_, source, dedup.mark, "dedup.store",
           "is the file of \"" + other.name + "\" too; each source needs its own");
      }
    }
  }

  void check_source(const NodeConfig& source) {
    if (!next_.contains(source.name)) {
      at(problems_, source, source.mark, "", "nothing reads this source; its events go nowhere", Severity::note);
    }
    std::set<std::string> reached;
    collect(source.name, true, reached);
    for (const std::string& name : source.acknowledge.nodes) {
      const NodeConfig* node = config_.find(name);
      if (node == nullptr) {
        at(problems_, source, source.mark, "acknowledge",
           "there is no backend \"" + name + "\"; " + suggestion(name, names(true)));
      } else if (node->kind != NodeKind::backend) {
        at(problems_, source, source.mark, "acknowledge",
           "\"" + name + "\" is a " + kind_text(node->kind) + "; only backends deliver");
      } else if (!reached.contains(name)) {
        at(problems_, source, source.mark, "acknowledge",
           "no event of this source can reach \"" + name + "\", so it could never be acknowledged");
      }
    }
    note_blocking(source);
  }

  /// Backends wait for each other where one of them blocks: chosen, and said.
  void note_blocking(const NodeConfig& source) {
    std::set<std::string> reached;
    collect(source.name, false, reached);
    std::size_t backends = 0;
    std::string blocking;
    for (const NodeConfig& node : config_.nodes) {
      if (node.kind != NodeKind::backend || !reached.contains(node.name)) continue;
      ++backends;
      // A backend that the acknowledgement does not need holds nobody up: what does not fit is dropped and counted.
      const auto& needed = source.acknowledge.nodes;
      if (source.acknowledge.mode == Acknowledge::Mode::nodes && std::ranges::find(needed, node.name) == needed.end()) {
        continue;
      }
      if (node.delivery.when_full == WhenFull::block) blocking += (blocking.empty() ? "" : ", ") + node.name;
    }
    if (backends < 2 || blocking.empty()) return;
    at(problems_, source, source.mark, "",
       "feeds " + std::to_string(backends) + " backends, and when the queue of " + blocking +
           " is full the others wait too (when_full: block loses nothing; drop_newest or dead_letter keeps them apart)",
       Severity::note);
  }

  const Config& config_;
  Problems& problems_;
  std::map<std::string, std::set<std::string>> next_;
};

}  // namespace

void add_stdin_source(Config& config, const Value& root, Problems& problems) {
  bool made_by_set = false;
  for (const NodeConfig& node : config.nodes) {
    // `--set sources.stdin.format=bus_event` configures the source that --stdin adds.
    if (node.name == "stdin" && node.klass == "stdin" && node.file == kSetFile) {
      made_by_set = true;
    } else if (node.klass == "stdin") {
      return at(problems, node, node.mark, "", "reads standard input already: leave --stdin out");
    } else if (node.name == "stdin") {
      return at(problems, node, node.mark, "", "has the name that --stdin gives to its source");
    }
  }
  for (NodeConfig& node : config.nodes) {
    if (node.kind == NodeKind::source || !node.inputs.empty() || takes_dead_letters(config, node.name)) continue;
    node.inputs.push_back({"stdin", "", {}});
  }
  if (made_by_set) return;
  NodeConfig source;
  source.name = source.klass = "stdin";
  source.file = "--stdin";
  source.path = "sources.stdin";
  source.config = make_map(root);
  source.config.mark = {};
  source.config.file = "--stdin";
  source.format = read_event_format(nullptr, "stdin", "", problems);
  config.nodes.insert(config.nodes.begin(), std::move(source));
}

void check_wiring(const Config& config, const Value& root, Problems& problems) {
  const bool source =
      std::ranges::any_of(config.nodes, [](const NodeConfig& node) { return node.kind == NodeKind::source; });
  if (!source) complain(problems, root, "sources", "there is no source; name one under sources:, or run with --stdin");
  const bool reader =
      std::ranges::any_of(config.nodes, [](const NodeConfig& node) { return node.kind != NodeKind::source; });
  if (!reader)
    complain(problems, root, "backends", "there is no backend and no consumer: nothing would take the events");
  Wiring(config, problems).check();
}

void check_ports(const Config& config, const ClassCatalog& catalog, Problems& problems) {
  for (const NodeConfig& node : config.nodes) {
    if (node.kind == NodeKind::backend && node.fan_out_json.size() > 1 && node.delivery.when_full == WhenFull::block) {
      at(problems, node, node.mark, "",
         "makes one lane for each of its " + std::to_string(node.fan_out_json.size()) + " " + node.fan_out +
             ", and when the queue of one is full the others wait too (when_full: block loses nothing; drop_newest or "
             "dead_letter keeps them apart)",
         Severity::note);
    }
    for (const Input& input : node.inputs) {
      const NodeConfig* from = config.find(input.node);
      if (from == nullptr || from->kind != NodeKind::consumer) continue;
      const ClassDescription* described = catalog.find(from->kind, from->klass);
      if (described == nullptr) continue;
      if ((described->flags & SLUICE_OBSERVER) != 0) {
        at(problems, node, input.mark, "inputs",
           "\"" + from->name + "\" (class " + from->klass +
               ") only observes: nothing comes out of it; name what feeds it");
        continue;
      }
      std::vector<std::string> ports = described->ports;
      ports.emplace_back("rejected");  // every consumer has it: what it rejected
      if (!input.port.empty() && std::ranges::find(ports, input.port) == ports.end()) {
        at(problems, node, input.mark, "inputs",
           "\"" + from->name + "\" has no port \"" + input.port + "\"; " + suggestion(input.port, ports));
      }
    }
  }
}

}  // namespace sluice
