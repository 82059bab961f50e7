// The backend when things go wrong: killed, hung and absent servers, strangers without a password, twins with a false
// certificate.
#include "driver.hh"

using namespace nats_test;

namespace {

/// An authority, a good server certificate, and the twins that must be refused, made by tests/servers/tls.py.
struct Certificates {
  explicit Certificates(const std::string& folder) : at(folder + "/tls") {
    const std::string tests = SLUICE_SOURCE_DIR "/tests";
    const std::string script = "import sys; sys.dont_write_bytecode = True; sys.path.insert(0, '" + tests +
                               "'); from servers.tls import Certificates; Certificates('" + at + "')";
    REQUIRE(std::system(("/usr/bin/python3 -c \"" + script + "\" >/dev/null 2>&1").c_str()) == 0);
  }
  [[nodiscard]] std::string authority() const { return at + "/sluice-tests/ca.pem"; }
  [[nodiscard]] std::string server(const std::string& name) const {
    const std::string pair = at + (name == "unknown" ? "/unknown-authority/" : "/sluice-tests/") + name;
    return "tls { cert_file: \"" + pair + ".pem\", key_file: \"" + pair + ".key\", timeout: 5 }";
  }
  std::string at;
};

std::string tls_config(const NatsServer& server, const std::string& more) {
  return config("tls://localhost:" + std::to_string(server.port()), more);
}

std::string said_by_start(Driver& driver) {
  try {
    driver.node.start();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "started";
}

}  // namespace

TEST_CASE("nats: a server that is not there is away, and named", "[nats][live]") {
  Driver driver(config("nats://user:secret@127.0.0.1:" + std::to_string(free_port())));
  CHECK_THROWS_WITH(driver.node.start(), Catch::Contains("nats://127.0.0.1:") && !Catch::Contains("secret"));
  CHECK(driver.node.status == SLUICE_AWAY);
  CHECK(driver.offer(events(0, 1)) == 0);
  CHECK(driver.node.status == SLUICE_AWAY);
  CHECK(driver.node.probe() == SLUICE_AWAY);
}

TEST_CASE("nats: the first of several servers that answers is used", "[nats][live]") {
  NatsServer server;
  Driver driver(R"({"servers":["nats://127.0.0.1:)" + std::to_string(free_port()) + R"(",")" + server.url() + R"("]})");
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 10)));
  CHECK(driver.host.completed(SLUICE_OK) == 10);
}

TEST_CASE("nats: user and password, token, and what is said without them", "[nats][live]") {
  NatsServer server(R"(authorization { user: sluice, password: "p@ss" })");
  Driver right(config(server.url(), R"("user":"sluice","password":"p@ss")"));
  right.node.start();
  REQUIRE(right.publish_all(events(0, 10)));
  CHECK(right.host.completed(SLUICE_OK) == 10);
  CHECK(right.node.probe() == SLUICE_OK);
  for (const char* more : {R"("user":"sluice","password":"wrong")", R"("token":"p@ss")", ""}) {
    Driver wrong(config(server.url(), more));
    const std::string said = said_by_start(wrong);
    CHECK(holds(said, "check user and password"));
    CHECK(!holds(said, "p@ss"));
    CHECK(wrong.node.status == SLUICE_AWAY);
  }
  NatsServer with_token(R"(authorization { token: "tok" })");
  Driver token(config(with_token.url(), R"("token":"tok")"));
  token.node.start();
  REQUIRE(token.publish_all(events(0, 10)));
  CHECK(token.host.completed(SLUICE_OK) == 10);
  Driver in_url(config(with_token.url("tok@")));
  in_url.node.start();
  CHECK(in_url.host.logged("connected to nats://127.0.0.1"));
  CHECK(!in_url.host.logged("tok@"));
}

TEST_CASE("nats: what the user may not publish is away with the cure, and never delivered", "[nats][live]") {
  for (const char* more : {R"("jetstream":true,"stream":"")", R"("jetstream":false)"}) {
    NatsServer server(
        R"(authorization { users: [{ user: u, password: p, permissions: { publish: ["other.>", "_INBOX.>"], )"
        R"(subscribe: "_INBOX.>" } }] })");
    Driver driver(config(server.url(), std::string(R"("user":"u","password":"p",)") + more));
    driver.node.start();
    REQUIRE(driver.publish_all(events(0, 5)));
    CHECK(driver.host.completed(SLUICE_OK) == 0);
    INFO(driver.complaints());
    CHECK(driver.host.completed(SLUICE_AWAY) == 5);
    CHECK(holds(driver.complaints(), "may this user publish to 'nlp.document.processed'"));
  }
}

TEST_CASE("nats: TLS with our authority works, and each twin is refused", "[nats][live]") {
  const NatsServer only_folder;
  const Certificates made(only_folder.folder());
  const std::string trust = R"("tls":{"ca_file":")" + made.authority() + R"("})";
  {
    NatsServer server(made.server("server"));
    Driver driver(tls_config(server, trust));
    driver.node.start();
    REQUIRE(driver.publish_all(events(0, 1000)));
    CHECK(driver.host.completed(SLUICE_OK) == 1000);
    Driver by_other_name(config("tls://127.0.0.1:" + std::to_string(server.port()),
                                R"("tls":{"server_name":"localhost","ca_file":")" + made.authority() + R"("})"));
    by_other_name.node.start();
    Driver untrusting(tls_config(server, ""));
    CHECK(holds(said_by_start(untrusting), "check tls.ca_file"));
    Driver plain(config("nats://localhost:" + std::to_string(server.port())));
    CHECK_THROWS_WITH(plain.node.start(), Catch::Contains("check tls.ca_file"));
  }
  for (const char* twin : {"wrong_name", "expired", "unknown"}) {
    NatsServer server(made.server(twin));
    Driver driver(tls_config(server, trust));
    const std::string said = said_by_start(driver);
    INFO(twin << ": " << said);
    CHECK(driver.node.status == SLUICE_AWAY);
    CHECK(said != "started");
    CHECK(driver.offer(events(0, 1)) == 0);
  }
}

TEST_CASE("nats: a server that hangs is given up after the timeout", "[nats][live]") {
  NatsServer server;
  Driver driver(config(server.url(), R"("timeout":300)"));
  driver.node.start();
  server.kill(SIGSTOP);
  REQUIRE(driver.offer(events(0, 7)) == 7);
  REQUIRE(driver.poll_until([&] { return driver.answered() == 7; }));
  CHECK(driver.host.completed(SLUICE_TIMEOUT) == 7);
  CHECK(holds(driver.complaints(), "no answer for 300 ms"));
  server.kill(SIGCONT);
  REQUIRE(driver.poll_until([&] { return driver.offer({}), driver.node.status == SLUICE_OK; }));
  REQUIRE(driver.publish_all(events(7, 10)));
  CHECK(driver.host.completed(SLUICE_OK) == 10);
  CHECK(driver.each_answered_once());
}

TEST_CASE("nats: killed under load and restarted, everything is in the stream once", "[nats][live]") {
  NatsServer server;
  Driver driver(config(server.url(), R"("window":500)"));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 500)));
  std::uint32_t under_way = driver.offer(events(500, 256));
  driver.poll(5);
  server.kill(SIGSTOP);  // so that the last ones are unanswered for certain when it dies
  under_way += driver.offer(events(500 + under_way, 200));
  REQUIRE(under_way > 200);
  driver.poll(5);
  server.kill(SIGKILL);
  REQUIRE(driver.poll_until([&] { return driver.answered() == 500 + under_way; }));
  CHECK(driver.each_answered_once());
  CHECK(driver.host.completed(SLUICE_TIMEOUT) > 0);
  CHECK(driver.host.completed(SLUICE_OK) + driver.host.completed(SLUICE_TIMEOUT) == driver.answered());
  CHECK(driver.host.logged("connection lost"));
  CHECK(driver.offer(events(0, 1)) == 0);
  CHECK(driver.node.status == SLUICE_AWAY);

  server.start();
  REQUIRE(driver.publish_all(events(500, 700)));  // as the host would: all that was not answered, and more
  FarSide far(server.url());
  CHECK(far.length("NLP_EVENTS") == 1200);
  CHECK(from_base64(far.stored("NLP_EVENTS", 1200)["data"]) == event(1199));
}

TEST_CASE("nats: the stream is deleted while events come, and made again", "[nats][live]") {
  NatsServer server;
  FarSide far(server.url());
  Driver driver(config(server.url()));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 10)));
  far.ask("$JS.API.STREAM.DELETE.NLP_EVENTS");
  REQUIRE(driver.publish_all(events(10, 10)));
  CHECK(driver.host.completed(SLUICE_OK) == 10);
  CHECK(driver.host.completed(SLUICE_AWAY) == 10);
  REQUIRE(driver.publish_all(events(10, 10)));
  CHECK(driver.host.completed(SLUICE_OK) == 20);
  CHECK(far.length("NLP_EVENTS") == 10);
}
