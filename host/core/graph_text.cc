#include "core/graph_text.hh"

#include "core/native_format.hh"
#include "core/units.hh"
#include "core/uuid.hh"

#include <charconv>

namespace sluice {
namespace {

std::string plain(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number);
  return {text, end.ptr};
}

std::string name_list(const std::vector<std::string>& names) {
  std::string text = "[";
  for (const std::string& name : names) text += (text.size() > 1 ? ", " : "") + json_string(name);
  return text + "]";
}

const char* boolean(bool value) { return value ? "true" : "false"; }

/// Lines of YAML, indented by hand: there is nothing here that a writer library would make safer, since every text of a
/// user is written as a JSON string.
class Lines {
 public:
  Lines& add(int indent, const std::string& line) {
    text_.append(static_cast<std::size_t>(indent) * 2, ' ').append(line) += '\n';
    return *this;
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void write_host(const Config& config, Lines& out) {
  out.add(0, "plugins: {path: " + name_list(config.plugin_path) + "}");
  out.add(0, "admin: {listen: " + json_string(config.admin.listen) + "}" +
                 (config.admin.listen.empty() ? "  # no admin server" : ""));
  out.add(0, "log: {level: " + config.log.level + ", format: " + config.log.format +
                 ", events: " + boolean(config.log.events) +
                 ", events_per_second: " + std::to_string(config.log.events_per_second) + "}");
  out.add(0, "limits: {event_bytes: " + size_text(config.limits.event_bytes) +
                 ", nesting: " + std::to_string(config.limits.nesting) +
                 ", batch_events: " + std::to_string(config.limits.batch_events) +
                 ", attributes: " + std::to_string(config.limits.attributes) + "}");
  out.add(0, "batch: {max_events: " + std::to_string(config.batch_events) + "}");
  out.add(0, "drain_deadline: " + duration_text(config.drain_deadline));
  out.add(0, "undelivered: " + json_string(config.undelivered_path));
}

std::string format_text(const EventFormat& format) {
  std::string text = "{preset: " + format.preset;
  if (!format.fields.empty()) {
    text += ", fields: {";
    for (const FieldMap& field : format.fields) {
      text += (&field == &format.fields.front() ? "" : ", ") + field.to + ": " + name_list(field.from);
    }
    text += "}";
  }
  const auto constant = [&](const char* key, const std::string& value) {
    if (!value.empty()) text += std::string(", ") + key + ": " + json_string(value);
  };
  constant("source", format.source);
  constant("type", format.type);
  constant("type_prefix", format.type_prefix);
  constant("subject", format.subject);
  constant("datacontenttype", format.datacontenttype);
  if (format.raw_header_values) text += ", raw_header_values: true";
  return text + "}";
}

std::string acknowledge_text(const Acknowledge& acknowledge) {
  if (acknowledge.mode == Acknowledge::Mode::nodes) return name_list(acknowledge.nodes);
  return acknowledge.mode == Acknowledge::Mode::any ? "any" : "all";
}

const char* text_of(WhenFull value) {
  switch (value) {
    case WhenFull::block:
      return "block";
    case WhenFull::drop_newest:
      return "drop_newest";
    case WhenFull::dead_letter:
      return "dead_letter";
    case WhenFull::spool:
      return "spool";
  }
  return "block";
}

const char* text_of(RetryPolicy::Backoff value) {
  switch (value) {
    case RetryPolicy::Backoff::constant:
      return "constant";
    case RetryPolicy::Backoff::linear:
      return "linear";
    case RetryPolicy::Backoff::exponential:
      return "exponential";
  }
  return "exponential";
}

const char* text_of(BreakerPolicy::OnOpen value) {
  switch (value) {
    case BreakerPolicy::OnOpen::hold:
      return "hold";
    case BreakerPolicy::OnOpen::dead_letter:
      return "dead_letter";
    case BreakerPolicy::OnOpen::spool:
      return "spool";
  }
  return "hold";
}

const char* text_of(SpoolPolicy::Fsync value) {
  switch (value) {
    case SpoolPolicy::Fsync::every_batch:
      return "every_batch";
    case SpoolPolicy::Fsync::group_commit:
      return "group_commit";
    case SpoolPolicy::Fsync::interval:
      return "interval";
  }
  return "group_commit";
}

const char* text_of(SpoolPolicy::OnFull value) {
  switch (value) {
    case SpoolPolicy::OnFull::block:
      return "block";
    case SpoolPolicy::OnFull::drop_newest:
      return "drop_newest";
    case SpoolPolicy::OnFull::dead_letter:
      return "dead_letter";
  }
  return "block";
}

std::string spool_text(const SpoolPolicy& spool) {
  std::string text = "spool: {path: " + json_string(spool.path) + ", max_bytes: " + size_text(spool.max_bytes) +
                     ", segment_bytes: " + size_text(spool.segment_bytes) + ", fsync: " + text_of(spool.fsync);
  if (spool.fsync == SpoolPolicy::Fsync::group_commit) {
    text += ", group_commit_ms: " + std::to_string(spool.group_commit.count());
  }
  if (spool.fsync == SpoolPolicy::Fsync::interval) text += ", interval: " + duration_text(spool.interval);
  return text + ", on_full: " + text_of(spool.on_full) + "}";
}

std::string queue_text(const NodeConfig& node) {
  const std::string events = "max_events: " + std::to_string(node.observer_queue);
  if (node.queue_kind != ObserverQueue::durable) return "queue: {" + events + "}";
  return "queue: {kind: durable, " + events + ", " + spool_text(node.delivery.spool).substr(8);
}

void write_delivery(const Delivery& delivery, Lines& out) {
  out.add(2, "delivery:");
  out.add(3, "queue: {max_events: " + std::to_string(delivery.queue.max_events) +
                 ", max_bytes: " + size_text(delivery.queue.max_bytes) + "}");
  out.add(3, std::string("when_full: ") + text_of(delivery.when_full));
  const RetryPolicy& retry = delivery.retry;
  out.add(3, "retry: {max_attempts: " + std::to_string(retry.max_attempts) + ", backoff: " + text_of(retry.backoff) +
                 ", delay: " + duration_text(retry.delay) + ", max_delay: " + duration_text(retry.max_delay) +
                 ", jitter: " + (retry.jitter == RetryPolicy::Jitter::full ? "full" : "none") +
                 ", max_age: " + duration_text(retry.max_age) + "}" +
                 (retry.max_age.count() == 0 ? "  # max_age 0: no bound but the queue" : ""));
  const BreakerPolicy& breaker = delivery.breaker;
  out.add(3, std::string("breaker: {enabled: ") + boolean(breaker.enabled) +
                 ", failure_rate: " + plain(breaker.failure_rate) + ", window: " + std::to_string(breaker.window) +
                 ", min_results: " + std::to_string(breaker.min_results) +
                 ", open_for: " + duration_text(breaker.open_for) + ", on_open: " + text_of(breaker.on_open) + "}");
  out.add(3,
          delivery.rate_per_second > 0 ? "rate_limit: " + rate_text(delivery.rate_per_second) : "# rate_limit: none");
  out.add(3,
          delivery.dead_letter.empty() ? "# dead_letter: none" : "dead_letter: " + json_string(delivery.dead_letter));
  out.add(3, "publish_deadline: " + duration_text(delivery.publish_deadline));
  out.add(3, "max_batch: " + std::to_string(delivery.max_batch));
  out.add(3, delivery.max_in_flight > 0 ? "max_in_flight: " + std::to_string(delivery.max_in_flight)
                                        : "# max_in_flight: as many as the class takes");
  const Ordering& ordering = delivery.ordering;
  if (!ordering.by_key) {
    out.add(3, "# ordering: none");
  } else {
    out.add(3, "ordering: {by: key" + (ordering.key.empty() ? "" : ", key: " + json_string(ordering.key)) +
                   ", max_held: " + std::to_string(ordering.max_held) + "}" +
                   (ordering.key.empty() ? "  # partitionkey, or else subject" : ""));
  }
  out.add(3, delivery.spool.on() ? spool_text(delivery.spool) : "# spool: none");
}

std::string store_text(const DedupPolicy& dedup) {
  switch (dedup.store) {
    case DedupPolicy::Store::memory:
      return "memory";
    case DedupPolicy::Store::file:
      return "{path: " + json_string(dedup.path) + "}";
    case DedupPolicy::Store::shared:
      break;
  }
  const NodeConfig& node = dedup.shared.front();
  return "{class: " + json_string(node.klass) + ", config: " + (node.shown_json.empty() ? "{}" : node.shown_json) + "}";
}

std::string dedup_text(const DedupPolicy& dedup) {
  const std::string key = dedup.only_once ? "none" : dedup.key.empty() ? "id" : name_list(dedup.key);
  const std::string once =
      dedup.once ? ", once: {types: " + name_list(dedup.once->types) + ", key: " + json_string(dedup.once->key) + "}"
                 : "";
  return "{key: " + key + once + ", ttl: " + duration_text(dedup.ttl) +
         ", max_keys: " + std::to_string(dedup.max_keys) + ", store: " + store_text(dedup) + "}";
}

std::vector<std::string> input_names(const NodeConfig& node) {
  std::vector<std::string> names;
  for (const Input& input : node.inputs)
    names.push_back(input.port.empty() ? input.node : input.node + "." + input.port);
  return names;
}

/// Secrets are not shown, but whether two configurations have the same ones is: three digits of a digest over all of
/// the node's config, which say nothing about any one of them.
void write_secrets_mark(const NodeConfig& node, Lines& out) {
  if (node.shown_json == node.config_json) return;
  const UuidText digest = NameHash().uuid(node.klass, node.config_json, 0);
  out.add(2, "# with what is shown as ***: mark " + std::string(digest.data(), 3));
}

void write_place(const NodeConfig& node, Lines& out) {
  if (node.kind == NodeKind::source) {
    out.add(2, "format: " + format_text(node.format));
    out.add(2, "acknowledge: " + acknowledge_text(node.acknowledge));
    if (!node.delivery.dead_letter.empty()) out.add(2, "dead_letter: " + node.delivery.dead_letter);
    if (node.dedup) out.add(2, "dedup: " + dedup_text(*node.dedup));
  } else {
    out.add(2, "inputs: " + name_list(input_names(node)));
  }
  if (!node.when_json.empty()) out.add(2, "when: " + node.when_json);
}

void write_config(const NodeConfig& node, Lines& out) {
  const std::string& shown = node.shown_json.empty() ? "{}" : node.shown_json;
  const std::string lanes =
      node.fan_out.empty() || node.fan_out_json.empty()
          ? ""
          : "  # " + std::to_string(node.fan_out_json.size()) + " lanes, one for each of " + node.fan_out;
  out.add(2, "config: " + shown + lanes);
  write_secrets_mark(node, out);
}

void write_handling(const NodeConfig& node, Lines& out) {
  if (node.kind == NodeKind::consumer) out.add(2, queue_text(node));
  if (node.kind == NodeKind::backend) {
    write_delivery(node.delivery, out);
    out.add(2, "redact: " + name_list(node.redact));
    out.add(2, std::string("required: ") + boolean(node.required));
  }
}

void write_node(const NodeConfig& node, Lines& out) {
  out.add(1, node.name + ":" + (node.mark.line > 0 ? "  # line " + std::to_string(node.mark.line) : ""));
  out.add(2, "class: " + json_string(node.klass));
  write_place(node, out);
  write_config(node, out);
  write_handling(node, out);
}

/// One line per edge: (from, to, label, dashed).
template <class Edge>
void each_edge(const Config& config, const Edge& edge) {
  const auto index = [&](const std::string& name) -> std::size_t {
    for (std::size_t i = 0; i < config.nodes.size(); ++i) {
      if (config.nodes[i].name == name) return i;
    }
    return config.nodes.size();
  };
  for (std::size_t i = 0; i < config.nodes.size(); ++i) {
    const NodeConfig& node = config.nodes[i];
    for (const Input& input : node.inputs) {
      if (index(input.node) < config.nodes.size()) edge(index(input.node), i, input.port, false);
    }
    if (index(node.delivery.dead_letter) < config.nodes.size()) {
      edge(i, index(node.delivery.dead_letter), std::string("dead letters"), true);
    }
  }
}

std::string lane_text(const NodeConfig& node) {
  return node.fan_out_json.size() > 1 ? " ×" + std::to_string(node.fan_out_json.size()) : "";
}

}  // namespace

std::string graph_as_text(const Config& config) {
  Lines out;
  out.add(0, "# " + config.file + (config.events_dialect ? ", lowered from events: and event_consumer:" : ""));
  if (!config.disabled.empty()) out.add(0, "# nothing runs: " + config.disabled);
  out.add(0, "sluice: 1");
  write_host(config, out);
  for (const NodeKind kind : {NodeKind::source, NodeKind::consumer, NodeKind::backend}) {
    bool first = true;
    for (const NodeConfig& node : config.nodes) {
      if (node.kind != kind) continue;
      if (first) out.add(0, std::string(section_of(kind)) + ":");
      first = false;
      write_node(node, out);
    }
  }
  return out.take();
}

std::string host_as_text(const Config& config) {
  Lines out;
  write_host(config, out);
  return out.take();
}

std::string settings_as_text(const NodeConfig& node) {
  Lines out;
  write_place(node, out);
  write_handling(node, out);
  return out.take();
}

std::string graph_as_dot(const Config& config) {
  Lines out;
  out.add(0, "digraph sluice {").add(1, "rankdir=LR;").add(1, "node [fontname=\"sans-serif\"];");
  for (std::size_t i = 0; i < config.nodes.size(); ++i) {
    const NodeConfig& node = config.nodes[i];
    const char* shape = node.kind == NodeKind::source ? "cds" : node.kind == NodeKind::consumer ? "box" : "cylinder";
    out.add(1, "n" + std::to_string(i) + " [shape=" + shape +
                   ", label=" + json_string(node.name + lane_text(node) + "\n" + node.klass) + "];");
  }
  each_edge(config, [&](std::size_t from, std::size_t to, const std::string& label, bool dashed) {
    out.add(1, "n" + std::to_string(from) + " -> n" + std::to_string(to) + " [label=" + json_string(label) +
                   (dashed ? ", style=dashed];" : "];"));
  });
  return out.add(0, "}").take();
}

std::string graph_as_mermaid(const Config& config) {
  // Mermaid has no escape for a quote inside a label: it takes HTML's.
  const auto label = [](const std::string& text) {
    std::string out = "\"";
    for (const char c : text)
      out += c == '"' ? std::string("#quot;") : c == '<' ? std::string("#lt;") : std::string(1, c);
    return out + "\"";
  };
  Lines out;
  out.add(0, "flowchart LR");
  for (std::size_t i = 0; i < config.nodes.size(); ++i) {
    const NodeConfig& node = config.nodes[i];
    const std::string text = label(node.name + lane_text(node) + " (" + node.klass + ")");
    const std::string id = "n" + std::to_string(i);
    out.add(1, node.kind == NodeKind::source     ? id + "([" + text + "])"
               : node.kind == NodeKind::consumer ? id + "[" + text + "]"
                                                 : id + "[(" + text + ")]");
  }
  each_edge(config, [&](std::size_t from, std::size_t to, const std::string& text, bool dashed) {
    const std::string arrow = dashed ? " -.->" : " -->";
    out.add(1, "n" + std::to_string(from) + arrow + (text.empty() ? "" : "|" + label(text) + "|") + " n" +
                   std::to_string(to));
  });
  return out.take();
}

}  // namespace sluice
