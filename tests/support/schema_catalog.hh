// The project's classes as their schema files describe them, for tests of configurations: no module is loaded.
#pragma once

#include "core/class_info.hh"

#include <sluice/module.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>

namespace sluice_tests {

class SchemaCatalog : public sluice::ClassCatalog {
 public:
  SchemaCatalog() {
    using sluice::NodeKind;
    // Until a module is here, what its class asks for is not known: any keys.
    for (const char* name : {"redis_streams", "kafka", "nats", "rabbitmq"}) {
      for (const NodeKind kind : {NodeKind::source, NodeKind::backend}) {
        put({.kind = kind, .name = name, .module_path = "tests", .schema_json = R"({"type":"object"})"});
      }
    }
    add(NodeKind::source, "stdin", "plugins/stdio/stdin_schema.json");
    add(NodeKind::backend, "stdout", "plugins/stdio/stdout_schema.json");
    add(NodeKind::source, "file", "plugins/file/file_schema.json");
    add(NodeKind::backend, "event_log", "plugins/file/event_log_schema.json");
    add(NodeKind::source, "http", "plugins/http/schema_http.json");
    add(NodeKind::backend, "webhook", "plugins/http/schema_webhook.json");
    add(NodeKind::backend, "redis_streams", "plugins/redis_streams/schema_backend.json");
    add(NodeKind::source, "redis_streams", "plugins/redis_streams/schema_source.json");
    add(NodeKind::source, "generate", "plugins/bench/generate_schema.json");
    add(NodeKind::backend, "null", "plugins/bench/null_schema.json");
    add(NodeKind::consumer, "handover", "plugins/handover/schema.json");
    add(NodeKind::consumer, "validation", "plugins/validation/schema.json", SLUICE_EMITS);
    add(NodeKind::consumer, "json_schema", "plugins/validation/json_schema.json", SLUICE_EMITS, {"invalid"});
    add(NodeKind::consumer, "metrics", "plugins/metrics/schema.json", SLUICE_OBSERVER);
    add(NodeKind::consumer, "aggregate", "plugins/metrics/aggregate_schema.json", SLUICE_EMITS);
    for (const char* name : {"slack", "email", "alert_webhook"}) {
      add(NodeKind::consumer, name, std::string("plugins/alerting/") + name + "_schema.json.in", SLUICE_OBSERVER);
    }
    add(NodeKind::consumer, "metrics_sql", "plugins/sql/schema.json", SLUICE_OBSERVER);
    // The host's own class, see host/edge/dead_letter_backend.cc.
    put({.kind = NodeKind::backend,
         .name = "dead_letter_store",
         .schema_json = R"({"type":"object","additionalProperties":false,"required":["path"],"properties":{
             "path":{"type":"string","minLength":1},
             "max_bytes":{"type":"integer","x-unit":"bytes","minimum":1024,"default":1073741824},
             "max_age":{"type":"integer","x-unit":"ms","minimum":0,"default":0}}})"});
    // A consumer of the tests' own, with a port.
    put({.kind = NodeKind::consumer,
         .name = "judge",
         .schema_json = R"({"type":"object","additionalProperties":false,"properties":{
             "early_checkpoint":{"type":"integer","minimum":1,"default":5},
             "early_threshold":{"type":"number","minimum":0,"maximum":1,"default":0.5},
             "warning_threshold":{"type":"number","minimum":0,"maximum":1,"default":0.7},
             "warning_interval":{"type":"integer","minimum":1,"default":50}}})",
         .flags = SLUICE_EMITS,
         .ports = {"failed"}});
  }

  void put(sluice::ClassDescription described) {
    const Key key{described.kind, described.name};
    classes_[key] = std::move(described);
  }

  using sluice::ClassCatalog::find;
  [[nodiscard]] const sluice::ClassDescription* find(sluice::NodeKind kind, std::string_view name) const override {
    const auto found = classes_.find(Key{kind, name});
    return found == classes_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::vector<std::string> names() const override {
    std::vector<std::string> out;
    for (const auto& [key, described] : classes_) out.push_back(described.name);
    return out;
  }
  [[nodiscard]] std::string where_looked() const override { return "the tests' catalog"; }

 private:
  void add(sluice::NodeKind kind, const std::string& name, const std::string& schema_file, std::uint32_t flags = 0,
           std::vector<std::string> ports = {}) {
    std::string text = read(schema_file);
    // The keys that all classes of alerting have are put in by its CMakeLists.txt.
    if (const std::size_t place = text.find("@SHARED_KEYS@"); place != text.npos) {
      text.replace(place, 13, read("plugins/alerting/shared_keys.json"));
    }
    put({.kind = kind,
         .name = name,
         .module_path = "tests",
         .schema_json = text,
         .flags = flags,
         .ports = std::move(ports)});
  }

  static std::string read(const std::string& file) {
    std::ifstream stream(std::string(SLUICE_SOURCE_DIR) + "/" + file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  using Key = std::pair<sluice::NodeKind, std::string>;
  std::map<Key, sluice::ClassDescription> classes_;
};

}  // namespace sluice_tests
