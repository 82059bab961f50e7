#include "core/events_brokers.hh"

#include "core/dialect.hh"
#include "core/map_reader.hh"

#include <algorithm>

namespace sluice {
namespace {

// The documents' full schema.
constexpr const char* kKafkaServer = "kafka:9092";
constexpr const char* kKafkaTopic = "nlp-document-events";
constexpr const char* kKafkaCompression = "gzip";
constexpr std::int64_t kKafkaAcks = 1;
constexpr std::int64_t kKafkaRetries = 3;
constexpr std::int64_t kKafkaInFlight = 5;
constexpr const char* kKafkaClient = "stage2-nlp-producer";
constexpr const char* kNatsServer = "nats://nats:4222";
constexpr const char* kNatsSubject = "nlp.document.processed";
constexpr const char* kRabbitUrl = "amqp://guest:guest@rabbitmq:5672/";
constexpr const char* kRabbitExchange = "nlp-events";
constexpr const char* kRabbitExchangeType = "topic";
constexpr const char* kRabbitRoutingKey = "document.processed";

Value list_of(const char* text, const Value& where) {
  Value list = make_list(where);
  list.list.push_back(make_string(text, where));
  return list;
}

}  // namespace

void kafka_defaults(Value& config, Value& retry, const Value& where, Problems& problems) {
  MapReader map(&config, config.path, problems);
  const Value* written = config.find("retries");
  const std::int64_t retries = map.integer("retries", 0, 1000).value_or(kKafkaRetries);
  retry.put("max_attempts", make_integer(retries + 1, written == nullptr ? where : *written));
  std::erase_if(config.map, [](const auto& member) { return member.first == "retries"; });
  put_default(config, "bootstrap_servers", list_of(kKafkaServer, where));
  put_default(config, "topic", make_string(kKafkaTopic, where));
  put_default(config, "compression_type", make_string(kKafkaCompression, where));
  put_default(config, "acks", make_integer(kKafkaAcks, where));
  put_default(config, "max_in_flight_requests", make_integer(kKafkaInFlight, where));
  put_default(config, "client_id", make_string(kKafkaClient, where));
}

void nats_defaults(Value& config, const Value& where, Problems& problems) {
  put_default(config, "servers", list_of(kNatsServer, where));
  put_default(config, "subject", make_string(kNatsSubject, where));
  put_default(config, "jetstream", make_boolean(true, where));
  if (const Value* durable = config.find("durable_name"); durable != nullptr) {
    note_idle(problems, *durable, "it names a reader, and a publisher has none");
    std::erase_if(config.map, [](const auto& member) { return member.first == "durable_name"; });
  }
}

void rabbitmq_defaults(Value& config, bool routed_by_type, const Value& where) {
  put_default(config, "url", make_string(kRabbitUrl, where));
  put_default(config, "exchange", make_string(kRabbitExchange, where));
  put_default(config, "exchange_type", make_string(kRabbitExchangeType, where));
  if (!routed_by_type) put_default(config, "routing_key", make_string(kRabbitRoutingKey, where));
  put_default(config, "durable", make_boolean(true, where));
}

}  // namespace sluice
