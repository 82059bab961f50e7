// TLS with the real server: its certificate is accepted only when authority, name and time are right.
#include "server.hh"

using namespace rabbit_test;

namespace {

std::string tls_config(const std::string& url, const std::string& ca) {
  return config(R"("exchange":"tls-test","mandatory":false,"tls":{"ca_file":")" + ca + "\"}", url);
}
std::string tls_url() { return environment("RABBITMQ_TEST_TLS_URL"); }

}  // namespace

TEST_CASE("rabbitmq tls: events go out and come in over TLS", "[live][tls]") {
  Publisher publisher(tls_config(tls_url(), environment("RABBITMQ_TEST_CA")));
  publisher.node.start(30'000);
  const std::string big =
      R"({"specversion":"1.0","id":"1","source":"s","type":"t","data":")" + std::string(300'000, 'x') + R"("})";
  const std::string queue = fresh("queue");
  Taker taker(config(quoted("queue", queue) + R"(,"exchange":"tls-test","bindings":["#"],"tls":{"ca_file":")" +
                         environment("RABBITMQ_TEST_CA") + "\"}",
                     tls_url()));
  taker.node.start(30'000);
  std::vector<std::string> all = events(0, 500);
  all.push_back(big);
  REQUIRE(publisher.publish_all(all));
  CHECK(publisher.host.completed(SLUICE_OK) == 501);
  REQUIRE(repeat_until([&] { return taker.taken.size() >= 501; },
                       [&] {
                         taker.step();
                         taker.settle_all(SLUICE_WAS_DELIVERED);
                       }));
  CHECK((taker.taken[500].text == big));
}

TEST_CASE("rabbitmq tls: a certificate of another name, out of time, or of an unknown authority is refused",
          "[live][tls]") {
  for (const char* twin : {"wrong_name", "expired", "unknown"}) {
    control(std::string("present ") + twin);
    INFO(twin);
    Publisher publisher(tls_config(tls_url(), environment("RABBITMQ_TEST_CA")));
    const std::string said = start_refused(publisher);
    CHECK(holds(said, "certificate"));
    CHECK_FALSE(holds(said, "only-for-tests"));
  }
  control("present server");
  Publisher publisher(tls_config(tls_url(), environment("RABBITMQ_TEST_CA")));
  publisher.node.start(30'000);
}

TEST_CASE("rabbitmq tls: a server without TLS at that port, and an authority that cannot be read", "[live][tls]") {
  std::string plain = server_url();
  plain.replace(0, 4, "amqps");
  Publisher publisher(tls_config(plain, environment("RABBITMQ_TEST_CA")));
  CHECK(holds(start_refused(publisher), "speaks no TLS"));
  Publisher unreadable(tls_config(tls_url(), "/nonexistent.pem"));
  CHECK(holds(start_refused(unreadable), "tls.ca_file"));
}
