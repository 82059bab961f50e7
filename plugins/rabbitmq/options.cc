#include "options.hh"

#include <algorithm>

namespace rabbitmq {
namespace {

using sluice::BadConfig;

// Names on the wire are short strings.
constexpr std::size_t kNameBytesMax = 255;

std::string name_in(sluice::ConfigView config, const std::string& key) {
  std::string name = config.text(key);
  if (name.size() > kNameBytesMax) throw BadConfig(key + ": is longer than the 255 bytes that a name may have");
  return name;
}

Access read_access(sluice::ConfigView config, std::string_view node) {
  Access access;
  access.address = parse_address(config.text("url"));
  access.ca = config.text("tls/ca_file");
  access.certificate = config.text("tls/cert_file");
  access.key = config.text("tls/key_file");
  if (access.certificate.empty() != access.key.empty()) throw BadConfig("tls: cert_file and key_file go together");
  if (!access.address.tls && !(access.ca + access.certificate).empty()) {
    throw BadConfig("tls: has no effect with amqp://; write amqps:// in the url");
  }
  access.name = "sluice " + std::string(node);
  access.heartbeat = std::chrono::duration_cast<std::chrono::seconds>(config.duration("heartbeat"));
  access.frame_bytes_max = static_cast<std::uint32_t>(config.integer("frame_max"));
  access.timeout = config.duration("timeout");
  return access;
}

Exchange read_exchange(sluice::ConfigView config) {
  return {name_in(config, "exchange"), config.text("exchange_type"), config.boolean("durable"),
          config.boolean("passive")};
}

}  // namespace

std::string Address::shown() const {
  return (tls ? "amqps://" : "amqp://") + (host.find(':') == host.npos ? host : "[" + host + "]") + ":" +
         std::to_string(port) + (vhost == "/" ? "/" : "/" + vhost);
}

BackendOptions read_backend_options(sluice::ConfigView config, std::string_view node) {
  BackendOptions options;
  options.access = read_access(config, node);
  options.exchange = read_exchange(config);
  options.routing_key = sluice::Template(config.text("routing_key"), "routing_key");
  options.mandatory = config.boolean("mandatory");
  options.persistent = config.boolean("persistent");
  options.binary = config.text("mode") == "binary";
  options.format = sluice::envelope_named(config.text("format")).value_or(sluice::Envelope::cloudevents);
  if (options.binary && options.format != sluice::Envelope::cloudevents) {
    throw BadConfig("mode: binary is a mode of CloudEvents; format: " + config.text("format") +
                    " needs mode: structured");
  }
  options.letter_queue = name_in(config, "dead_letters_queue");
  if (options.letter_queue.empty() && options.exchange.name.empty() && options.routing_key.is_fixed()) {
    options.letter_queue = options.routing_key.fixed_text();
  }
  options.header_prefix = config.text("header_prefix");
  options.app_id = name_in(config, "app_id");
  options.window = static_cast<std::uint32_t>(config.integer("window"));
  options.message_bytes_max = static_cast<std::uint64_t>(config.integer("max_message_bytes"));
  return options;
}

SourceOptions read_source_options(sluice::ConfigView config, std::string_view node) {
  SourceOptions options;
  options.access = read_access(config, node);
  const bool durable = config.boolean("durable"), passive = config.boolean("passive");
  options.queue = {name_in(config, "queue"), durable, passive, config.map("arguments")};
  if (!config.text("exchange").empty()) options.exchange = read_exchange(config);
  if (config.count("bindings") > 0) options.bindings = config.texts("bindings");
  if (!options.bindings.empty() && !options.exchange) {
    throw BadConfig("bindings: need an exchange to bind the queue to");
  }
  const std::string type = config.text("queue_type"), dead_letter = name_in(config, "dead_letter_exchange");
  options.quorum = type == "quorum";
  if (options.quorum && !durable) throw BadConfig("durable: a quorum queue is always durable");
  auto& arguments = options.queue.arguments;
  if (options.quorum) arguments.emplace_back("x-queue-type", type);
  if (!dead_letter.empty()) {
    arguments.emplace_back("x-dead-letter-exchange", dead_letter);
    options.dead_letter_exchange = Exchange{dead_letter, config.text("dead_letter_exchange_type"), durable, passive};
  }
  const std::string key = name_in(config, "dead_letter_routing_key"), queue = name_in(config, "dead_letter_queue");
  if (!key.empty()) arguments.emplace_back("x-dead-letter-routing-key", key);
  if (!queue.empty()) {
    options.dead_letter_queue = Queue{queue, durable, passive, {}};
    if (options.quorum) options.dead_letter_queue->arguments.emplace_back("x-queue-type", type);
  }
  if (dead_letter.empty() && !(key + queue).empty()) {
    throw BadConfig("dead_letter_exchange: is needed for dead_letter_queue and dead_letter_routing_key");
  }
  options.dead_letters = std::any_of(arguments.begin(), arguments.end(),
                                     [](const auto& each) { return each.first == "x-dead-letter-exchange"; });
  options.prefetch = static_cast<std::uint32_t>(config.integer("prefetch_count"));
  options.retries_max = static_cast<std::uint32_t>(config.integer("max_retries"));
  options.retry_delay = config.duration("retry_delay");
  const std::string once = config.text("read_once");
  options.once = once == "look" ? Once::look : once == "take" ? Once::take : Once::no;
  return options;
}

}  // namespace rabbitmq
