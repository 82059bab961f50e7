#include "options.hh"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace kafka {
namespace {

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all.append(all.empty() ? "" : ",").append(part);
  return all;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
  return text;
}

std::string kilobytes(std::int64_t bytes) { return std::to_string((bytes + 1023) / 1024); }

/// Properties that this module needs as it sets them: another value would lose events or confuse it.
struct Reserved {
  const char *name, *why;
};
constexpr std::array kReserved{
    Reserved{"enable.auto.commit", "offsets are committed when the host has settled the events before them"},
    Reserved{"enable.auto.offset.store", "offsets are committed when the host has settled the events before them"},
    Reserved{"delivery.report.only.error", "every event is answered, also when it was delivered"},
    Reserved{"log.queue", "the library's log lines go through the host's log"},
    Reserved{"plugin.library.paths", "the process loads no code that the host has not checked"},
    Reserved{"produce.offset.report", "it has no effect here"},
    Reserved{"enable.gapless.guarantee", "one event that cannot be delivered would stop all others for ever"},
};

void add_properties_of_the_user(sluice::ConfigView config, Properties& properties) {
  for (const auto& [name, value] : config.map("properties")) {
    for (const Reserved& reserved : kReserved) {
      if (name == reserved.name) throw sluice::BadConfig("properties." + name + " cannot be set: " + reserved.why);
    }
    properties.emplace_back(name, value);
  }
}

void set_when_given(sluice::ConfigView config, const char* key, const char* property, Properties& properties) {
  const std::string value = config.text(key);
  if (!value.empty()) properties.emplace_back(property, value);
}

/// Addresses, name, TLS and who we are.
void add_connection(sluice::ConfigView config, const std::string& servers, Properties& properties) {
  properties.emplace_back("bootstrap.servers", servers);
  properties.emplace_back("client.id", config.text("client_id"));
  properties.emplace_back("reconnect.backoff.max.ms", "2000");
  properties.emplace_back("log.connection.close", "false");
  const std::string protocol = upper(config.text("security_protocol"));
  const std::string mechanism = upper(config.text("sasl_mechanism"));
  const bool has_user = !config.text("sasl_username").empty();
  properties.emplace_back("security.protocol", protocol);
  if (protocol.starts_with("SASL")) {
    properties.emplace_back("sasl.mechanism", mechanism);
    const bool by_password = mechanism == "PLAIN" || mechanism.starts_with("SCRAM");
    if (by_password && (!has_user || config.text("sasl_password").empty()) && config.count("properties") == 0) {
      throw sluice::BadConfig("security_protocol " + protocol + " with " + mechanism +
                              " needs sasl_username and sasl_password");
    }
  } else if (has_user) {
    throw sluice::BadConfig("sasl_username has no effect with security_protocol " + protocol +
                            ": take SASL_SSL, or SASL_PLAINTEXT in a network that you trust");
  }
  set_when_given(config, "sasl_username", "sasl.username", properties);
  set_when_given(config, "sasl_password", "sasl.password", properties);
  set_when_given(config, "ssl_ca_location", "ssl.ca.location", properties);
  set_when_given(config, "ssl_certificate_location", "ssl.certificate.location", properties);
  set_when_given(config, "ssl_key_location", "ssl.key.location", properties);
  set_when_given(config, "ssl_key_password", "ssl.key.password", properties);
  if (!config.boolean("ssl_check_hostname")) {
    properties.emplace_back("ssl.endpoint.identification.algorithm", "none");
  }
}

bool is_all(const std::string& acks) { return acks.empty() || acks == "all" || acks == "-1"; }

std::string last_of(const Properties& properties, std::string_view name) {
  std::string value;
  for (const auto& [each, text] : properties) {
    if (each == name) value = text;
  }
  return value;
}

/// What the library would only notice when it is started.
void check_times(const Properties& properties) {
  const std::string linger = last_of(properties, "linger.ms"), timeout = last_of(properties, "delivery.timeout.ms");
  if (std::strtod(linger.c_str(), nullptr) < std::strtod(timeout.c_str(), nullptr)) return;
  throw sluice::BadConfig("linger: " + linger + " ms must be shorter than delivery_timeout, which is " + timeout);
}

void check_acks(const std::string& acks, const Properties& properties) {
  if (!is_all(acks) && last_of(properties, "enable.idempotence") == "true") {
    throw sluice::BadConfig("acks: " + acks + " contradicts enable.idempotence: leave acks out, or say all");
  }
  const std::string in_flight = last_of(properties, "max.in.flight.requests.per.connection");
  if (last_of(properties, "enable.idempotence") == "true" && (in_flight.size() > 1 || in_flight > "5")) {
    throw sluice::BadConfig("max_in_flight_requests: " + in_flight +
                            " is more than idempotence allows (5): lower it, or set "
                            "properties: {enable.idempotence: false}, which may reorder and duplicate on retries");
  }
}

void add_sending(sluice::ConfigView config, BackendOptions& options) {
  Properties& properties = options.properties;
  const std::int64_t window_bytes = std::max(config.integer("window_bytes"), config.integer("max_message_bytes"));
  const std::string acks = config.text("acks");
  properties.emplace_back("compression.type", config.text("compression_type"));
  properties.emplace_back("acks", acks.empty() ? "all" : acks);
  properties.emplace_back("enable.idempotence", is_all(acks) ? "true" : "false");
  properties.emplace_back("max.in.flight.requests.per.connection", config.text("max_in_flight_requests"));
  set_when_given(config, "retries", "retries", properties);
  properties.emplace_back("linger.ms", config.text("linger"));
  properties.emplace_back("delivery.timeout.ms", config.text("delivery_timeout"));
  properties.emplace_back("queue.buffering.max.messages", config.text("window"));
  properties.emplace_back("queue.buffering.max.kbytes", kilobytes(window_bytes));
  properties.emplace_back("message.max.bytes", config.text("max_message_bytes"));
  properties.emplace_back("partitioner", "murmur2_random");  // as the Java client, so that all agree on a key's place
  properties.emplace_back("topic.metadata.propagation.max.ms", "5000");
}

}  // namespace

BackendOptions read_backend_options(sluice::ConfigView config) {
  BackendOptions options;
  options.servers = joined(config.texts("bootstrap_servers"));
  options.topic = sluice::Template(config.text("topic"), "topic");
  const std::string key = config.text("key");
  options.key = key == "none" ? Key::none : key == "partitionkey" ? Key::partitionkey : Key::subject;
  options.binary = config.text("content_mode") == "binary";
  options.patience = config.duration("timeout");
  add_connection(config, options.servers, options.properties);
  add_sending(config, options);
  add_properties_of_the_user(config, options.properties);
  options.max_message_bytes = std::stoull("0" + last_of(options.properties, "message.max.bytes"));
  check_acks(config.text("acks"), options.properties);
  check(options.properties, Role::producer);
  check_times(options.properties);
  return options;
}

SourceOptions read_source_options(sluice::ConfigView config) {
  SourceOptions options;
  options.servers = joined(config.texts("bootstrap_servers"));
  options.topics = config.texts("topics");
  options.group = config.text("group_id");
  options.leniency.takes_plain = config.text("content_mode") != "strict";
  options.leniency.takes_batches = config.boolean("accept_batches");
  options.stop_at_end = config.boolean("stop_at_end");
  options.delete_read = config.boolean("delete_read");
  if (options.delete_read && !options.stop_at_end) throw sluice::BadConfig("delete_read: needs stop_at_end");
  options.commit_interval = config.duration("commit_interval");
  options.rebalance_wait = config.duration("rebalance_wait");
  options.redeliver_after = config.duration("redeliver_after");
  options.redeliver_after_max = std::max(config.duration("redeliver_after_max"), options.redeliver_after);
  options.patience = config.duration("timeout");
  Properties& properties = options.properties;
  add_connection(config, options.servers, properties);
  properties.emplace_back("group.id", options.group);
  properties.emplace_back("auto.offset.reset", config.text("auto_offset_reset"));
  properties.emplace_back("enable.auto.commit", "false");
  properties.emplace_back("enable.auto.offset.store", "false");
  properties.emplace_back("enable.partition.eof", options.stop_at_end ? "true" : "false");
  properties.emplace_back("queued.min.messages", config.text("prefetch"));
  properties.emplace_back("queued.max.messages.kbytes", kilobytes(config.integer("prefetch_bytes")));
  properties.emplace_back("fetch.message.max.bytes", config.text("max_message_bytes"));
  properties.emplace_back("topic.metadata.refresh.interval.ms", "10000");  // a topic that is made later is found soon
  set_when_given(config, "assignment_strategy", "partition.assignment.strategy", properties);
  set_when_given(config, "session_timeout", "session.timeout.ms", properties);
  add_properties_of_the_user(config, properties);
  check(properties, Role::consumer);
  options.prefetch_messages = std::stoull(last_of(properties, "queued.min.messages"));
  options.prefetch_bytes = std::stoull(last_of(properties, "queued.max.messages.kbytes")) * 1024;
  return options;
}

}  // namespace kafka
