#include "encode.hh"

#include "driver.hh"

using namespace rabbit_test;

namespace {

/// Encodes one event with a backend's configuration.
struct Encoded {
  explicit Encoded(const std::string& text, const std::string& more = "", std::uint64_t message_max = 1 << 20,
                   std::uint64_t headers_max = 100'000)
      : config(R"({"exchange":"e")" + more + "}", backend_class().config_schema),
        options(rabbitmq::read_backend_options(sluice::ConfigView(config), "n")),
        encoder(options),
        batch({text}) {
    taken = encoder.encode(sluice::BatchView(batch)[0], message_max, headers_max, message);
  }
  [[nodiscard]] std::string header(std::string_view name) const {
    for (const rabbitmq::Header& each : message.headers) {
      if (each.name == name) return std::string(each.value);
    }
    return "(none)";
  }

  rig::Config config;
  rabbitmq::BackendOptions options;
  rabbitmq::Encoder encoder;
  rig::Batch batch;
  rabbitmq::Outgoing message;
  bool taken = false;
};

const std::string kEvent =
    R"({"specversion":"1.0","id":"e1","source":"/s","type":"speaker.onboarded","subject":"123","time":"2024-01-15T10:30:00Z",)"
    R"("correlationid":"c-9","data":{"name":"Jürgen %"}})";

}  // namespace

TEST_CASE("encode: structured is the event as received, with its properties beside it") {
  const Encoded made(kEvent);
  REQUIRE(made.taken);
  CHECK(made.message.body == kEvent);
  CHECK(made.message.content_type == "application/cloudevents+json");
  CHECK(made.message.routing_key == "speaker.onboarded");
  CHECK(made.message.message_id == "e1");
  CHECK(made.message.type == "speaker.onboarded");
  CHECK(made.message.correlation_id == "c-9");
  CHECK(made.message.app_id == "sluice");
  CHECK(made.message.headers.empty());
}

TEST_CASE("encode: binary puts attributes into headers as they are, without any escaping") {
  const Encoded made(kEvent, R"(,"mode":"binary")");
  REQUIRE(made.taken);
  CHECK(made.message.body == R"({"name":"Jürgen %"})");
  CHECK(made.message.content_type == "application/json");
  CHECK(made.header("ce-specversion") == "1.0");
  CHECK(made.header("ce-id") == "e1");
  CHECK(made.header("ce-source") == "/s");
  CHECK(made.header("ce-type") == "speaker.onboarded");
  CHECK(made.header("ce-subject") == "123");
  CHECK(made.header("ce-time") == "2024-01-15T10:30:00Z");
  CHECK(made.header("ce-correlationid") == "c-9");
  CHECK(made.header("ce-datacontenttype") == "(none)");
  CHECK(made.header("ce-dataschema") == "(none)");
}

TEST_CASE("encode: many extensions keep their names apart, under either name of the AMQP 1.0 binding") {
  std::string more;
  for (int i = 0; i < 60; ++i) more += ",\"extensionnumber" + std::to_string(i) + "\":\"" + std::to_string(i) + "\"";
  for (const std::string prefix : {"cloudEvents_", "cloudEvents:"}) {
    const Encoded made(event(1, "t", more), R"(,"mode":"binary","header_prefix":")" + prefix + "\"");
    REQUIRE(made.taken);
    for (int i = 0; i < 60; ++i) {
      CHECK(made.header(prefix + "extensionnumber" + std::to_string(i)) == std::to_string(i));
    }
  }
}

TEST_CASE("encode: a domain event in either spelling") {
  const Encoded snake(kEvent, R"(,"format":"domain_event")");
  CHECK(snake.message.body ==
        R"({"event_id":"e1","event_type":"speaker.onboarded","aggregate_id":"123",)"
        R"("timestamp":"2024-01-15T10:30:00Z","correlation_id":"c-9","payload":{"name":"Jürgen %"}})");
  CHECK(snake.message.content_type == "application/json");
  CHECK(snake.message.correlation_id == "c-9");
  const Encoded camel(kEvent, R"(,"format":"domain_event_camel")");
  CHECK(holds(std::string(camel.message.body), R"("correlationId":"c-9")"));
  CHECK(holds(std::string(camel.message.body), R"("eventType":"speaker.onboarded")"));
}

TEST_CASE("encode: the routing key is filled in per event") {
  CHECK(Encoded(kEvent, R"(,"routing_key":"x.{subject}.{correlationid}")").message.routing_key == "x.123.c-9");
  CHECK(Encoded(kEvent, R"(,"routing_key":"fixed")").message.routing_key == "fixed");
  const Encoded missing(kEvent, R"(,"routing_key":"{tenantid}")");
  CHECK_FALSE(missing.taken);
  CHECK(holds(missing.encoder.why(), "the event has no tenantid"));
}

TEST_CASE("encode: what the server could not take is refused with the limit named") {
  const Encoded long_key(event(1, std::string(300, 't')));
  CHECK_FALSE(long_key.taken);
  CHECK(holds(long_key.encoder.why(), "255 is the limit"));
  const Encoded long_body(kEvent, "", 20);
  CHECK_FALSE(long_body.taken);
  CHECK(holds(long_body.encoder.why(), "max_message_bytes: 20"));
  const Encoded long_headers(kEvent, R"(,"mode":"binary")", 1000, 50);
  CHECK_FALSE(long_headers.taken);
  CHECK(holds(long_headers.encoder.why(), "mode: structured has no such limit"));
}

TEST_CASE("encode: a property that is too long for the wire is left out, the attribute is not") {
  const std::string id(300, 'i');
  const Encoded made(R"({"specversion":"1.0","id":")" + id + R"(","source":"/s","type":"t"})", R"(,"mode":"binary")");
  REQUIRE(made.taken);
  CHECK(made.message.message_id.empty());
  CHECK(made.header("ce-id") == id);
  CHECK(made.message.body.empty());
  CHECK(made.message.content_type.empty());
}
