// Users, passwords and certificates, for real: what may come in does, and every twin is refused.
#include "driver.hh"

using namespace kafka_test;

namespace {

std::string user(const std::string& mechanism, const std::string& password) {
  return R"("sasl_mechanism":")" + mechanism + R"(","sasl_username":")" + variable("SLUICE_KAFKA_USER") +
         R"(","sasl_password":")" + password + R"(")";
}
std::string tls() { return R"("ssl_ca_location":")" + variable("SLUICE_KAFKA_CA") + R"(")"; }

}  // namespace

TEST_CASE("kafka: SCRAM and PLAIN over TLS, as the documents ask for it", "[kafka][live][security]") {
  if (skipped_without_a_broker("users and certificates")) return;
  const std::string password = variable("SLUICE_KAFKA_PASSWORD");
  for (const char* mechanism : {"SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"}) {
    CAPTURE(mechanism);
    const std::string topic = Broker::get().topic();
    const std::string security = R"("security_protocol":"SASL_SSL",)" + tls() + "," + user(mechanism, password);
    BackendDriver driver(config(topic, security, variable("SLUICE_KAFKA_SASL_SSL")));
    driver.node.start();
    REQUIRE(driver.publish_all(events(0, 50)));
    CHECK(driver.host.completed(SLUICE_OK) == 50);
    CHECK(driver.node.probe() == SLUICE_OK);
    SourceDriver source(
        config(topic, security + R"(,"group_id":")" + topic + R"(")", variable("SLUICE_KAFKA_SASL_SSL"), "topics"));
    source.node.start();
    REQUIRE(source.receive(50));
    CHECK(source.texts() == events(0, 50));
  }
}

TEST_CASE("kafka: a wrong password is away with a word about the password", "[kafka][live][security]") {
  if (skipped_without_a_broker("users")) return;
  const std::string topic = Broker::get().topic();
  for (const char* mechanism : {"SCRAM-SHA-256", "PLAIN"}) {
    CAPTURE(mechanism);
    const std::string wrong = R"("timeout":1000,"security_protocol":"SASL_PLAINTEXT",)" + user(mechanism, "guessed");
    const std::string door = variable("SLUICE_KAFKA_SASL_PLAINTEXT");
    BackendDriver driver(config(topic, wrong, door));
    CHECK(has(start_error(driver.node), "sasl_password"));
    CHECK(driver.node.status == SLUICE_AWAY);
    CHECK(driver.offer(events(0, 1)) == 0);
    CHECK(driver.answered() == 0);
    CHECK(driver.node.probe() == SLUICE_AWAY);
    SourceDriver source(config(topic, wrong, door, "topics"));
    CHECK(has(start_error(source.node), "sasl_password"));
    CHECK(source.node.probe() == SLUICE_AWAY);
  }
}

TEST_CASE("kafka: a certificate for another name, an expired one and one of an unknown authority are refused",
          "[kafka][live][security]") {
  if (skipped_without_a_broker("certificates")) return;
  const std::string topic = Broker::get().topic();
  BackendDriver good(config(topic, R"("security_protocol":"ssl",)" + tls(), variable("SLUICE_KAFKA_SSL")));
  good.node.start();
  REQUIRE(good.publish_all(events(0, 5)));
  CHECK(good.host.completed(SLUICE_OK) == 5);
  for (const char* twin : {"SLUICE_KAFKA_WRONG_NAME", "SLUICE_KAFKA_EXPIRED", "SLUICE_KAFKA_UNKNOWN"}) {
    CAPTURE(twin);
    const std::string settings = R"("timeout":1000,"security_protocol":"SSL",)" + tls();
    BackendDriver driver(config(topic, settings, variable(twin)));
    CHECK(has(start_error(driver.node), "certificate"));
    CHECK(driver.node.status == SLUICE_AWAY);
    CHECK(driver.offer(events(0, 1)) == 0);
    SourceDriver source(config(topic, settings, variable(twin), "topics"));
    CHECK(has(start_error(source.node), "certificate"));
  }
  CHECK(Broker::get().read(topic).size() == 5);
}
