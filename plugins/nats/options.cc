#include "options.hh"

#include "subject.hh"

#include <sluice/cpp/guard.hh>

namespace nats {
namespace {

using sluice::BadConfig;

Address read_address(const sluice::ConfigView& config) {
  Address address;
  address.tls = config.boolean("tls/enabled");
  for (std::string server : config.texts("servers")) {
    if (server.starts_with("tls://")) {
      address.tls = true;
      server.replace(0, 3, "nats");
    }
    if (const std::size_t scheme = server.find("://"); scheme != server.npos && !server.starts_with("nats://")) {
      throw BadConfig("servers: '" + server.substr(0, scheme) + "' is not known: expected nats://host:port or tls://");
    }
    address.servers.push_back(std::move(server));
  }
  if (address.servers.empty()) throw BadConfig("servers: expected at least one nats://host:port");
  address.user = config.text("user");
  address.password = config.text("password");
  address.token = config.text("token");
  address.credentials_file = config.text("credentials_file");
  const int ways =
      (address.user.empty() ? 0 : 1) + (address.token.empty() ? 0 : 1) + (address.credentials_file.empty() ? 0 : 1);
  if (ways > 1) throw BadConfig("user, token and credentials_file: one of them is enough, the server takes one");
  if (address.user.empty() && !address.password.empty()) throw BadConfig("password: it needs a user");
  address.ca = config.text("tls/ca_file");
  address.certificate = config.text("tls/cert_file");
  address.key = config.text("tls/key_file");
  address.server_name = config.text("tls/server_name");
  // Who names an authority or a server means TLS: without it these would have no effect, and nobody would notice.
  address.tls = address.tls || !address.ca.empty() || !address.certificate.empty() || !address.server_name.empty();
  if (address.certificate.empty() != address.key.empty()) {
    throw BadConfig("tls: cert_file and key_file belong together: give both");
  }
  address.name = config.text("client_name");
  address.inbox_prefix = config.text("inbox_prefix");
  if (!address.inbox_prefix.empty() && !is_publishable(address.inbox_prefix)) {
    throw BadConfig("inbox_prefix: '" + address.inbox_prefix + "' is no subject without wildcards");
  }
  return address;
}

void must_be_name(const std::string& name, const char* key) {
  if (name.find_first_of(" \t\r\n.*>/\\") != name.npos) {
    throw BadConfig(std::string(key) + ": '" + name + "' may not hold white space, '.', '*', '>', '/' or '\\'");
  }
}

StreamOptions read_stream(const sluice::ConfigView& config, const std::string& subject_template) {
  StreamOptions stream;
  stream.name = config.text("stream");
  must_be_name(stream.name, "stream");
  stream.create = config.boolean("stream_config/create");
  stream.memory = config.text("stream_config/storage") == "memory";
  stream.max_age = config.duration("stream_config/max_age");
  stream.duplicate_window = config.duration("stream_config/duplicate_window");
  stream.max_bytes = config.integer("stream_config/max_bytes");
  stream.max_messages = config.integer("stream_config/max_messages");
  stream.replicas = config.integer("stream_config/replicas");
  stream.subjects = config.texts("stream_config/subjects");
  if (stream.subjects.empty()) stream.subjects.push_back(wildcard_of(subject_template));
  for (const std::string& subject : stream.subjects) {
    if (!is_subscribable(subject)) throw BadConfig("stream_config.subjects: '" + subject + "' is no subject");
  }
  if (stream.max_age.count() != 0 && stream.duplicate_window > stream.max_age) {
    stream.duplicate_window = stream.max_age;  // the server refuses a longer one
  }
  return stream;
}

}  // namespace

std::string Address::shown() const {
  std::string out;
  for (const std::string& server : servers) {
    const std::size_t scheme = server.find("://");
    const std::string_view rest = std::string_view(server).substr(scheme == server.npos ? 0 : scheme + 3);
    const std::size_t at = rest.rfind('@');
    out += (out.empty() ? "" : ", ") + std::string("nats://") + std::string(rest.substr(at == rest.npos ? 0 : at + 1));
  }
  return out;
}

BackendOptions read_backend(sluice::ConfigView config) {
  BackendOptions options;
  options.address = read_address(config);
  const std::string subject = config.text("subject");
  options.subject_text = subject;
  options.subject = sluice::Template(subject, "subject");
  if (options.subject.is_fixed() && !is_publishable(options.subject.fixed_text())) {
    throw BadConfig("subject: '" + subject + "' cannot be published to: no white space, no wildcards, no empty token");
  }
  options.message_id = sluice::Template(config.text("message_id"), "message_id");
  options.jetstream = config.boolean("jetstream");
  options.binary = config.text("mode") == "binary";
  options.content_type_header = config.boolean("content_type_header");
  if (options.jetstream) {
    options.stream = read_stream(config, subject);
    if (options.subject.is_fixed()) options.stream.must_take = options.subject.fixed_text();
  }
  options.timeout = config.duration("timeout");
  options.window = static_cast<std::uint32_t>(config.integer("window"));
  return options;
}

SourceOptions read_source(sluice::ConfigView config) {
  SourceOptions options;
  options.address = read_address(config);
  ConsumerOptions& consumer = options.consumer;
  consumer.stream = config.text("stream");
  consumer.durable = config.text("durable_name");
  must_be_name(consumer.stream, "stream");
  must_be_name(consumer.durable, "durable_name");
  consumer.filter = config.text("subject");
  if (!consumer.filter.empty() && !is_subscribable(consumer.filter)) {
    throw BadConfig("subject: '" + consumer.filter + "' is no subject");
  }
  consumer.create = config.boolean("create");
  consumer.from_new = config.text("deliver") == "new";
  consumer.ack_wait = config.duration("ack_wait");
  consumer.inactive_threshold = config.duration("inactive_threshold");
  options.stop_at_end = config.boolean("stop_at_end");
  options.delete_delivered = config.boolean("delete_delivered");
  consumer.max_deliver = config.integer("max_deliver") == 0 ? -1 : config.integer("max_deliver");
  consumer.max_ack_pending = config.integer("max_ack_pending");
  options.batch_size = static_cast<std::uint32_t>(config.integer("batch_size"));
  options.max_bytes = static_cast<std::uint64_t>(config.integer("max_bytes"));
  options.timeout = config.duration("timeout");
  options.fetch_wait = config.duration("fetch_wait");
  options.nak_delay = config.duration("nak_delay");
  return options;
}

CoreSourceOptions read_core_source(sluice::ConfigView config) {
  CoreSourceOptions options;
  options.address = read_address(config);
  options.subject = config.text("subject");
  if (!is_subscribable(options.subject)) throw BadConfig("subject: '" + options.subject + "' is no subject");
  options.queue = config.text("queue_group");
  if (options.queue.find_first_of(" \t\r\n") != options.queue.npos) {
    throw BadConfig("queue_group: '" + options.queue + "' may not hold white space");
  }
  options.messages_max = static_cast<std::uint32_t>(config.integer("max_waiting"));
  options.bytes_max = static_cast<std::uint64_t>(config.integer("max_waiting_bytes"));
  options.timeout = config.duration("timeout");
  return options;
}

}  // namespace nats
