#include "options.hh"

#include "catch.hh"
#include "plugin_rig.hh"

namespace {

std::string last(const kafka::Properties& properties, std::string_view name) {
  std::string value;
  for (const auto& [each, text] : properties) {
    if (each == name) value = text;
  }
  return value;
}

const char* schema_of(bool source) {
  const sluice_module& module = *sluice_module_v1();
  for (std::uint32_t i = 0; i < module.class_count; ++i) {
    if ((module.classes[i]->source != nullptr) == source) return module.classes[i]->config_schema;
  }
  return nullptr;
}

kafka::BackendOptions backend(const std::string& config) {
  const rig::Config made(config, schema_of(false));
  return kafka::read_backend_options(sluice::ConfigView(made));
}
kafka::SourceOptions source(const std::string& config) {
  const rig::Config made(config, schema_of(true));
  return kafka::read_source_options(sluice::ConfigView(made));
}
std::string refusal(const std::string& config) {
  try {
    (void)backend(config);
  } catch (const sluice::BadConfig& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("options: the documents' keys become the library's properties", "[kafka][options]") {
  const auto options = backend(R"({"bootstrap_servers":["kafka-1:9092","kafka-2:9092"],"topic":"nlp-document-events",
    "compression_type":"gzip","acks":1,"retries":3,"max_in_flight_requests":5,"client_id":"stage2-nlp-producer"})");
  CHECK(last(options.properties, "bootstrap.servers") == "kafka-1:9092,kafka-2:9092");
  CHECK(last(options.properties, "compression.type") == "gzip");
  CHECK(last(options.properties, "acks") == "1");
  CHECK(last(options.properties, "retries") == "3");
  CHECK(last(options.properties, "max.in.flight.requests.per.connection") == "5");
  CHECK(last(options.properties, "client.id") == "stage2-nlp-producer");
  CHECK(options.topic.fixed_text() == "nlp-document-events");
  CHECK(last(backend(R"({"bootstrap_servers":"a:1,b:2"})").properties, "bootstrap.servers") == "a:1,b:2");
}

TEST_CASE("options: each event is written once while all replicas answer, and only then", "[kafka][options]") {
  for (const char* config : {"{}", R"({"acks":"all"})", R"({"acks":-1})", R"({"acks":"-1"})"}) {
    CAPTURE(config);
    CHECK(last(backend(config).properties, "enable.idempotence") == "true");
  }
  for (const char* config : {R"({"acks":1})", R"({"acks":"0"})"}) {
    CAPTURE(config);
    CHECK(last(backend(config).properties, "enable.idempotence") == "false");
  }
  CHECK(refusal(R"({"acks":1,"properties":{"enable.idempotence":true}})").find("contradicts") != std::string::npos);
  CHECK(refusal(R"({"max_in_flight_requests":6})").find("enable.idempotence: false") != std::string::npos);
  CHECK(refusal(R"({"max_in_flight_requests":50,"acks":1})").empty());
}

TEST_CASE("options: the library's own queue is bounded by the window", "[kafka][options]") {
  const auto options = backend(R"({"window":100,"window_bytes":2048,"max_message_bytes":1000000})");
  CHECK(last(options.properties, "queue.buffering.max.messages") == "100");
  CHECK(last(options.properties, "queue.buffering.max.kbytes") == "977");  // one event of the largest size fits
}

TEST_CASE("options: any property of the library by its name; what it does not know is refused in its words",
          "[kafka][options]") {
  CHECK(last(backend(R"({"properties":{"linger.ms":50}})").properties, "linger.ms") == "50");
  CHECK(refusal(R"({"properties":{"lingers.ms":50}})") ==
        "property lingers.ms: No such configuration property: \"lingers.ms\"");
  CHECK(refusal(R"({"properties":{"linger.ms":"soon"}})").find("property linger.ms: ") == 0);
  CHECK(refusal(R"({"properties":{"plugin.library.paths":"x"}})").find("cannot be set") != std::string::npos);
  CHECK(refusal(R"({"linger":60000})").find("must be shorter than delivery_timeout") != std::string::npos);
  CHECK(refusal(R"({"topic":"nlp-{type"})").find("topic: ") == 0);
}

TEST_CASE("options: users, passwords and certificates", "[kafka][options]") {
  const auto options = backend(R"({"security_protocol":"SASL_SSL","sasl_mechanism":"SCRAM-SHA-256","sasl_username":"u",
    "sasl_password":"p","ssl_ca_location":"/etc/ssl/certs/ca-certificates.crt"})");
  CHECK(last(options.properties, "security.protocol") == "SASL_SSL");
  CHECK(last(options.properties, "sasl.mechanism") == "SCRAM-SHA-256");
  CHECK(last(options.properties, "sasl.password") == "p");
  CHECK(refusal(R"({"security_protocol":"SASL_SSL"})").find("needs sasl_username and sasl_password") !=
        std::string::npos);
  CHECK(refusal(R"({"sasl_username":"u"})").find("take SASL_SSL") != std::string::npos);
}

TEST_CASE("options: a source commits what the host settled, and nothing else does", "[kafka][options]") {
  const auto options = source(R"({"topics":"nlp","group_id":"g"})");
  CHECK(options.topics == std::vector<std::string>{"nlp"});
  CHECK(last(options.properties, "enable.auto.commit") == "false");
  CHECK(last(options.properties, "enable.auto.offset.store") == "false");
  CHECK(last(options.properties, "auto.offset.reset") == "earliest");
  CHECK_THROWS_AS(source(R"({"topics":"nlp","properties":{"enable.auto.commit":true}})"), sluice::BadConfig);
  CHECK(source(R"({"topics":["a","^b.*"],"content_mode":"strict"})").leniency.takes_plain == false);
}
