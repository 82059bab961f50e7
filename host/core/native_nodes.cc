// One node of the native format: what every kind has, and what only its kind has.
#include "core/map_reader.hh"
#include "core/native_format.hh"
#include "core/observer_queue.hh"

#include <algorithm>

namespace sluice {
namespace {

std::vector<Input> read_inputs(MapReader& map) {
  std::vector<Input> inputs;
  const auto names = map.texts("inputs");
  if (!names) return inputs;
  for (const Value* name : *names) {
    const std::size_t dot = name->string.find('.');
    Input input{name->string.substr(0, dot), dot == std::string::npos ? "" : name->string.substr(dot + 1), name->mark};
    const bool twice = std::ranges::any_of(
        inputs, [&](const Input& other) { return other.node == input.node && other.port == input.port; });
    if (twice) {
      map.wrong(*name, "inputs", "names \"" + name->string + "\" twice");
    } else {
      inputs.push_back(std::move(input));
    }
  }
  return inputs;
}

void read_when(MapReader& map, NodeConfig& node) {
  const Value* when = map.take("when");
  if (when == nullptr) return;
  node.when_json = to_json(*when);
  std::string why;
  node.when = Filter::parse(node.when_json, why);
  if (!node.when) map.wrong(*when, "when", "is no filter: " + why);
}

Acknowledge read_acknowledge(MapReader& map) {
  Acknowledge acknowledge;
  const auto names = map.texts("acknowledge");
  if (!names) return acknowledge;
  const Value& where = *map.take("acknowledge");
  if (where.is_text() && where.string == "all") return acknowledge;
  if (where.is_text() && where.string == "any") {
    acknowledge.mode = Acknowledge::Mode::any;
    return acknowledge;
  }
  acknowledge.mode = Acknowledge::Mode::nodes;
  for (const Value* name : *names) acknowledge.nodes.push_back(name->string);
  if (names->empty()) map.wrong(where, "acknowledge", "must name at least one backend, or be all or any");
  return acknowledge;
}

void read_backend(MapReader& map, NodeConfig& node, Problems& problems) {
  node.delivery = read_delivery(map.take("delivery"), map.path_of("delivery"), problems);
  if (const auto pointers = map.texts("redact")) {
    for (const Value* pointer : *pointers) {
      if (is_json_pointer(pointer->string)) {
        node.redact.push_back(pointer->string);
      } else {
        map.wrong(*pointer, "redact",
                  "must be a JSON pointer into data, such as /text or /result/content, " + but_is(*pointer));
      }
    }
  }
  if (const auto required = map.boolean("required")) node.required = *required;
}

}  // namespace

bool is_json_pointer(const std::string& text) {
  if (text.empty() || text[0] != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  }
  return true;
}

NodeConfig read_node(NodeKind kind, const std::string& name, const Value& value, const std::string& path,
                     Problems& problems) {
  NodeConfig node;
  node.kind = kind;
  node.name = name;
  node.mark = value.key_mark.line > 0 ? value.key_mark : value.mark;
  node.file = value.file;
  MapReader map(&value, path, problems);
  if (const auto klass = map.text("class")) {
    node.klass = *klass;
    node.klass_mark = value.find("class")->mark;
    node.path = value.path.empty() ? path : value.path;
    if (klass->empty()) map.wrong(*value.find("class"), "class", "names no class");
  } else if (value.is_map() || value.kind == Value::Kind::null) {
    node.path = path;
    if (value.find("class") == nullptr) {
      complain_at_key(problems, value, path, "has no class; \"class:\" says which plugin's class this node is");
    }
  }
  read_when(map, node);
  node.config = make_map(value);
  if (const Value* config = map.take_some("config"); config != nullptr) {
    node.config = *config;
    if (!config->is_map()) map.wrong(*config, "config", "must be a map of keys, " + but_is(*config));
  }
  if (kind == NodeKind::source) {
    node.format = read_event_format(map.take("format"), name, map.path_of("format"), problems);
    node.acknowledge = read_acknowledge(map);
    if (const auto target = map.text("dead_letter")) {
      node.delivery.dead_letter = *target;
      node.delivery.dead_letter_mark = value.find("dead_letter")->mark;
    }
    node.dedup = read_dedup(map.take("dedup"), node, map.path_of("dedup"), problems);
    if (const Value* inputs = map.take("inputs"); inputs != nullptr) {
      map.wrong(*inputs, "inputs", "a source has no inputs; consumers and backends name it in theirs");
    }
  } else {
    node.inputs = read_inputs(map);
  }
  if (kind == NodeKind::consumer) read_observer_queue(map.take("queue"), map.path_of("queue"), node, problems);
  if (kind == NodeKind::backend) read_backend(map, node, problems);
  if (kind != NodeKind::source)
    map.refuse("dedup", "belongs on a source: its duplicates are left out for all that it feeds");
  map.later("spool", "leave it out");
  map.done();
  return node;
}

}  // namespace sluice
