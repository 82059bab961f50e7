#include "options.hh"

#include "answer.hh"
#include "driver.hh"

using namespace rabbit_test;
using rabbitmq::parse_address;

namespace {

std::string refused(const sluice_class& of, const std::string& config) {
  rig::Host host;
  try {
    rig::Node node(of, config, host);
  } catch (const std::exception& why) {
    return why.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("options: the documents' URLs mean the virtual host /") {
  for (const char* url :
       {"amqp://draftgenie:draftgenie123@localhost:5672/", "amqp://draftgenie:draftgenie123@localhost:5672",
        "amqp://draftgenie:draftgenie123@localhost:5672/%2F"}) {
    const rabbitmq::Address address = parse_address(url);
    CHECK(address.host == "localhost");
    CHECK(address.port == 5672);
    CHECK(address.user == "draftgenie");
    CHECK(address.password == "draftgenie123");
    CHECK(address.vhost == "/");
    CHECK_FALSE(address.tls);
  }
}

TEST_CASE("options: a URL's parts are decoded, ports have their defaults, and nothing secret is shown") {
  const rabbitmq::Address address = parse_address("amqps://us%40er:p%2Fss@rabbit.example/jobs%20a");
  CHECK(address.user == "us@er");
  CHECK(address.password == "p/ss");
  CHECK(address.vhost == "jobs a");
  CHECK(address.port == 5671);
  CHECK(address.tls);
  CHECK(address.shown() == "amqps://rabbit.example:5671/jobs a");
  CHECK(parse_address("amqp://[::1]:5673/").shown() == "amqp://[::1]:5673/");
  CHECK(parse_address("amqp://host").user == "guest");
}

TEST_CASE("options: what is no URL is refused without its password") {
  for (const char* url :
       {"redis://host", "amqp://u:hunter2@host:port/", "host:5672", "amqp://u:hunter2@host:5672/v/w"}) {
    try {
      (void)parse_address(url);
      FAIL(url);
    } catch (const sluice::BadConfig& why) {
      CHECK(holds(why.what(), "write amqp://"));
      CHECK_FALSE(holds(why.what(), "hunter2"));
    }
  }
}

TEST_CASE("options: what cannot work together is refused with the cure") {
  CHECK(holds(refused(backend_class(), R"({"exchange":"e","mode":"binary","format":"domain_event"})"),
              "mode: structured"));
  CHECK(holds(refused(backend_class(), R"({"exchange":"e","routing_key":"{Type}"})"), "routing_key"));
  CHECK(holds(refused(backend_class(), R"({"exchange":"e","tls":{"ca_file":"x"}})"), "amqps://"));
  CHECK(holds(refused(source_class(), R"({"queue":"q","bindings":["speaker.*"]})"), "need an exchange"));
  CHECK(holds(refused(source_class(), R"({"queue":"q","queue_type":"quorum","durable":false})"), "quorum"));
  CHECK(holds(refused(source_class(), R"({"queue":"q","dead_letter_queue":"d"})"), "dead_letter_exchange"));
  CHECK(holds(refused(source_class(), R"({"queue":"q","url":"amqps://h","tls":{"cert_file":"x"}})"), "go together"));
  CHECK(refused(source_class(), R"({"queue":"q"})") == "accepted");
  CHECK(refused(backend_class(), R"({"exchange":""})") == "accepted");
}

TEST_CASE("options: a queue's arguments and its dead letters") {
  const rig::Config config(R"({"queue":"q","queue_type":"quorum","arguments":{"x-max-length":1000},
      "dead_letter_exchange":"dlx","dead_letter_routing_key":"k","dead_letter_queue":"dead"})",
                           source_class().config_schema);
  const rabbitmq::SourceOptions options = rabbitmq::read_source_options(sluice::ConfigView(config), "node");
  using Arguments = std::vector<std::pair<std::string, std::string>>;
  CHECK(options.queue.arguments == Arguments{{"x-max-length", "1000"},
                                             {"x-queue-type", "quorum"},
                                             {"x-dead-letter-exchange", "dlx"},
                                             {"x-dead-letter-routing-key", "k"}});
  CHECK(options.dead_letters);
  CHECK(options.dead_letter_queue->arguments == Arguments{{"x-queue-type", "quorum"}});
  CHECK(options.prefetch == 10);
  CHECK(options.access.name == "sluice node");
}

TEST_CASE("answers: each error of the server comes with what to change") {
  CHECK(holds(rabbitmq::explained(406, "PRECONDITION_FAILED - inequivalent arg 'durable'", {"queue 'q'"}),
              "queue 'q': "));
  CHECK(holds(rabbitmq::explained(406, "PRECONDITION_FAILED - inequivalent arg 'durable'", {"queue 'q'"}),
              "passive: true"));
  CHECK(holds(rabbitmq::explained(404, "NOT_FOUND - no exchange 'e'", {"exchange 'e'", true}),
              "leave passive: true out"));
  CHECK(holds(rabbitmq::explained(403, "ACCESS_REFUSED", {"login"}), "check user"));
  const std::string too_long = "PRECONDITION_FAILED - message size 300 is larger than configured max size 200";
  CHECK(rabbitmq::message_limit_in(too_long) == 200);
  CHECK_FALSE(holds(rabbitmq::explained(406, too_long, {}), "passive"));
  CHECK(rabbitmq::message_limit_in("anything else") == 0);
}
