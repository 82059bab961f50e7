#include "replay_source.hh"

#include "core/native_format.hh"
#include "core/setup_error.hh"
#include "stream_letters.hh"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <random>

namespace sluice {

namespace fs = std::filesystem;

std::vector<std::string> files_of_log(const std::string& path) {
  const fs::path log(path);
  const std::string prefix = log.filename().string() + ".";
  std::vector<std::string> files;
  std::error_code error;
  const fs::path folder = log.has_parent_path() ? log.parent_path() : fs::path(".");
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    // "events.jsonl.20261101T120000Z-001", also compressed; not "events.jsonl.torn"
    const bool rotated = name.size() > prefix.size() && name.starts_with(prefix) && name[prefix.size()] >= '0' &&
                         name[prefix.size()] <= '9';
    if (rotated) files.push_back(at->path().string());
  }
  std::ranges::sort(files);
  if (fs::exists(log, error)) files.push_back(path);
  return files;
}

namespace {

class Sources {
 public:
  Sources(const OpenConfig& open, std::string state) : open_(open), state_(std::move(state)) {}

  void add_files(const std::vector<std::string>& files, const std::string& format) {
    Value where;
    Value config = make_map(where);
    Value paths = make_list(where);
    for (const std::string& file : files) paths.list.push_back(make_string(file, where));
    config.put("paths", std::move(paths));
    config.put("stop_at_end", make_boolean(true, where));
    config.put("sequential", make_boolean(true, where));
    if (!state_.empty()) config.put("checkpoint", make_string(next_state(), where));
    NodeConfig& node = add("file", std::move(config));
    if (!format.empty() && format != "cloudevents") node.format = format_of(format, node.name);
  }

  void add_stream(Value config) {
    if (!state_.empty()) config.put("checkpoint", make_string(next_state(), config));
    (void)add("redis_range", std::move(config));
  }

  /// "redis://127.0.0.1:6379/1#nlp-events", "kafka://127.0.0.1:9092#topic", "nats://127.0.0.1:4222#STREAM"
  void add_url(const std::string& url) {
    const std::size_t hash = url.find('#');
    const bool known = url.starts_with("redis") || url.starts_with("kafka://") || url.starts_with("nats://") ||
                       url.starts_with("tls://");
    if (!known || hash == std::string::npos || hash + 1 == url.size()) {
      throw SetupError(
          "--source: " + url + " cannot be read back; name an event log, files, a backend of the " +
              "configuration, redis://HOST:PORT/DB#STREAM, kafka://HOST:PORT#TOPIC or nats://HOST:PORT#STREAM",
          kUsage);
    }
    Value where;
    Value config = make_map(where);
    if (url.starts_with("kafka://")) {
      config.put("bootstrap_servers", make_string(url.substr(8, hash - 8), where));
      config.put("topics", make_string(url.substr(hash + 1), where));
      config.put("auto_offset_reset", make_string("earliest", where));
      return add_group("kafka", "group_id", std::move(config));
    }
    if (!url.starts_with("redis")) {
      config.put("servers", make_string(url.substr(0, hash), where));
      config.put("stream", make_string(url.substr(hash + 1), where));
      return add_group("nats", "durable_name", std::move(config));
    }
    config.put("url", make_string(url.substr(0, hash), where));
    config.put("stream_name", make_string(url.substr(hash + 1), where));
    add_stream(std::move(config));
  }

  /// What a member of a group of its own needs: nothing that production reads with is touched.
  void add_group(const std::string& klass, const char* group, Value config, const NodeConfig* like = nullptr) {
    config.put("stop_at_end", make_boolean(true, config));
    config.put(group, make_string(group_name(), config));
    // A call after a killed one waits until the broker has given the dead member up: the least that brokers allow.
    if (klass == "kafka") config.put("session_timeout", make_string("6s", config));
    if (klass == "nats" && state_.empty()) config.put("inactive_threshold", make_string("5m", config));
    NodeConfig& node = add(klass, std::move(config));
    if (like != nullptr) node.format = like->format;
  }

  void add_kafka(const NodeConfig& node) {
    Value config = node.config;
    if (node.kind == NodeKind::backend) {
      config = some_of(node, {"bootstrap_servers", "client_id", "security_protocol", "sasl_mechanism", "sasl_username",
                              "sasl_password", "ssl_ca_location", "ssl_certificate_location", "ssl_key_location",
                              "ssl_key_password", "ssl_check_hostname", "timeout"});
      config.put("topics", make_string(fixed(node, "topic"), config));
    }
    config.put("auto_offset_reset", make_string("earliest", config));
    add_group("kafka", "group_id", std::move(config), node.kind == NodeKind::source ? &node : nullptr);
  }

  void add_nats(const NodeConfig& node) {
    Value config = node.config;
    if (node.kind == NodeKind::backend) {
      const Value* jetstream = node.config.find("jetstream");
      if (jetstream != nullptr && !jetstream->boolean) {
        throw SetupError("--source: " + node.name + " publishes without JetStream: nothing was kept", kUsage);
      }
      config = some_of(node, {"servers", "user", "password", "token", "credentials_file", "tls", "client_name",
                              "inbox_prefix", "timeout"});
      config.put("stream", make_string(fixed(node, "stream"), config));
    }
    config.put("create", make_boolean(true, config));
    config.put("deliver", make_string("all", config));
    add_group("nats", "durable_name", std::move(config), node.kind == NodeKind::source ? &node : nullptr);
  }

  void add_node(const NodeConfig& node) {
    if (node.klass == "kafka") return add_kafka(node);
    if (node.klass == "nats") return add_nats(node);
    if (node.klass == "event_log") return add_log(node);
    if (node.klass == "redis_streams" && node.kind == NodeKind::backend) return add_stream(range_config(node));
    throw SetupError("--source: " + node.name + " is of class " + node.klass + ", which cannot be read back", kUsage);
  }

  void add_log(const NodeConfig& log) {
    const std::vector<std::string> files = files_of_log(log.config.find("path")->string);
    if (files.empty()) {
      throw SetupError("the event log of " + log.name + " is not there: " + log.config.find("path")->string);
    }
    const Value* format = log.config.find("format");
    add_files(files, format == nullptr ? "" : format->string);
  }

  std::vector<NodeConfig> take() { return std::move(nodes_); }

 private:
  NodeConfig& add(const std::string& klass, Value config) {
    const std::string name = "replay" + (nodes_.empty() ? "" : "_" + std::to_string(nodes_.size() + 1));
    return nodes_.emplace_back(make_node(open_, NodeKind::source, name, klass, std::move(config)));
  }

  /// Kafka and JetStream keep themselves how far a group is; the state file keeps the group's name. Without a state the
  /// group is of this call alone.
  std::string group_name() const {
    constexpr const char* kPrefix = "sluice-replay-";
    std::string name;
    if (!state_.empty() && std::getline(std::ifstream(next_state()) >> std::ws, name) && name.starts_with(kPrefix)) {
      return name;
    }
    std::random_device die;
    char digits[17];
    std::snprintf(digits, sizeof digits, "%08x%08x", die(), die());
    name = kPrefix + std::string(digits);
    if (!state_.empty() && !(std::ofstream(next_state()) << name << '\n' << std::flush)) {
      throw SetupError("--state: cannot write " + next_state(), kUsage);
    }
    return name;
  }

  static Value some_of(const NodeConfig& node, std::initializer_list<const char*> keys) {
    Value config = make_map(node.config);
    for (const char* key : keys) {
      if (const Value* value = node.config.find(key); value != nullptr) config.put(key, *value);
    }
    return config;
  }

  /// Where the backend writes, when that is one place.
  static std::string fixed(const NodeConfig& node, const char* key) {
    const Value* value = node.config.find(key);
    std::string text = value == nullptr ? "" : value->string;
    if (text.empty() || text.find('{') != std::string::npos) {
      throw SetupError("--source: " + node.name + " does not write to one " + key + ": name it with " + node.klass +
                           "://HOST:PORT#NAME",
                       kUsage);
    }
    return text;
  }

  /// One file per source: they are settled apart.
  std::string next_state() const { return nodes_.empty() ? state_ : state_ + "." + std::to_string(nodes_.size() + 1); }

  static EventFormat format_of(const std::string& preset, const std::string& node) {
    Problems problems;
    const Value value = make_string(preset, Value());
    return read_event_format(&value, node, "format", problems);
  }

  const OpenConfig& open_;
  std::string state_;
  std::vector<NodeConfig> nodes_;
};

}  // namespace

std::vector<NodeConfig> replay_sources(const OpenConfig& open, const std::vector<std::string>& asked,
                                       const std::string& into, const std::string& state) {
  Sources sources(open, state);
  std::vector<std::string> files;
  for (const std::string& one : asked) {
    if (const NodeConfig* node = open.config.find(one); node != nullptr) {
      sources.add_node(*node);
    } else if (one.find("://") != std::string::npos) {
      sources.add_url(one);
    } else {
      files.push_back(one);
    }
  }
  if (!files.empty()) sources.add_files(files, "");
  if (asked.empty()) {
    for (const NodeConfig& node : open.config.nodes) {
      if (node.kind == NodeKind::backend && node.klass == "event_log" && node.name != into) sources.add_log(node);
    }
  }
  std::vector<NodeConfig> nodes = sources.take();
  if (nodes.empty()) {
    throw SetupError("the configuration has no event log to replay from: say where the events are with --source",
                     kUsage);
  }
  return nodes;
}

}  // namespace sluice
