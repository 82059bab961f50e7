// The source over real sockets: what callers are told, and when.
#include "catch.hh"
#include "client.hh"

using test::Client;
using test::Door;
using test::header_of;
using test::kEvent;
using test::post;
using test::status_of;

namespace {

const sluice_class& http_class() { return rig::class_of(*sluice_module_v1(), "http"); }

std::string config(const std::string& more = "") { return R"({"listen":"127.0.0.1:0")" + more + "}"; }

/// One request on a fresh connection, settled as told; the response.
std::string ask(Door& door, const std::string& request, std::uint32_t outcome = SLUICE_WAS_DELIVERED,
                std::int32_t code = 0, std::string_view reason = {}) {
  Client client(door.port);
  client.send(request);
  std::string text;
  const std::size_t before = door.pulled.size();
  door.until([&] {
    if (door.pulled.size() > before) {
      door.settle(door.pulled.size() - 1, outcome, code, reason);
      door.pulled.pop_back();
    }
    return !(text = client.response()).empty();
  });
  return text;
}

}  // namespace

TEST_CASE("http: an event is answered 202 only after it is settled", "[http][source]") {
  Door door(config(), http_class());
  Client client(door.port);
  client.send(post(kEvent));
  REQUIRE(door.pulled_count(1, client));
  for (int i = 0; i < 5; ++i) door.step();
  CHECK(client.response().empty());

  CHECK(door.pulled[0].text == kEvent);
  CHECK(door.pulled[0].flags == SLUICE_SINGLE);
  door.settle(0, SLUICE_WAS_DELIVERED);
  const std::string text = door.response(client);
  CHECK(status_of(text) == 202);
  CHECK(text.find(R"({"outcome":"delivered"})") != std::string::npos);
}

TEST_CASE("http: what waits for the graph and what is under way are metrics", "[http][source]") {
  Door door(config(), http_class());
  const auto gauge = [&](const char* name) { return door.host.cell(name)->value; };
  Client client(door.port);
  client.send(post(kEvent));
  REQUIRE(door.pulled_count(1, client));
  door.step();
  CHECK(gauge("source_lag_events") == 0);
  CHECK(gauge("source_pending_events") == 1);
  door.settle(0, SLUICE_WAS_DELIVERED);
  CHECK(status_of(door.response(client)) == 202);
  door.step();
  CHECK(gauge("source_pending_events") == 0);
}

TEST_CASE("http: the answer says what became of the event", "[http][source]") {
  Door door(config(), http_class());
  const auto outcome = [&](std::uint32_t how, std::int32_t code = 0, std::string_view why = {}) {
    return ask(door, post(kEvent), how, code, why);
  };
  CHECK(status_of(outcome(SLUICE_WAS_DROPPED)) == 202);

  const std::string undecodable = outcome(SLUICE_WAS_REJECTED, SLUICE_CODE_UNDECODABLE, "id is \"missing\"");
  CHECK(status_of(undecodable) == 400);
  CHECK(undecodable.find(R"({"error":"undecodable","reason":"id is \"missing\""})") != std::string::npos);
  CHECK(header_of(undecodable, "Content-Type") == "application/json");

  CHECK(status_of(outcome(SLUICE_WAS_REJECTED, SLUICE_CODE_TOO_LARGE)) == 413);
  CHECK(status_of(outcome(SLUICE_WAS_REJECTED, 404, "far side: no")) == 422);

  const std::string halted = outcome(SLUICE_WAS_REJECTED, SLUICE_CODE_HALTED, "stopped at specimen 5");
  CHECK(status_of(halted) == 409);
  CHECK(halted.find("stopped at specimen 5") != std::string::npos);
  CHECK(status_of(outcome(SLUICE_NOT_DELIVERED, SLUICE_CODE_HALTED)) == 409);

  const std::string lost = outcome(SLUICE_NOT_DELIVERED, 0, "no backend took it");
  CHECK(status_of(lost) == 503);
  CHECK(header_of(lost, "Retry-After") == "1");
  CHECK(status_of(outcome(SLUICE_NOT_DELIVERED, SLUICE_CODE_FULL)) == 503);
  const std::string stopping = outcome(SLUICE_NOT_DELIVERED, SLUICE_CODE_STOPPING);
  CHECK(status_of(stopping) == 503);
  CHECK(header_of(stopping, "Connection") == "close");
}

TEST_CASE("http: Content-Type alone tells the mode", "[http][source]") {
  Door door(config(), http_class());
  Client client(door.port);
  client.send(post("[" + kEvent + "]", "", "Application/CloudEvents-Batch+JSON; charset=UTF-8"));
  REQUIRE(door.pulled_count(1, client));
  CHECK(door.pulled[0].flags == SLUICE_BATCHED);

  Client binary(door.port);
  binary.send(post("{}", "ce-specversion: 1.0\r\nCe-Id: a%20b\r\nce-source: /s\r\nce-type: t\r\n", "application/json"));
  REQUIRE(door.pulled_count(2, binary));
  CHECK(door.pulled[1].flags == SLUICE_ATTRIBUTES);
  CHECK(door.pulled[1].text == "{}");
  const std::vector<std::pair<std::string, std::string>> wanted{
      {"datacontenttype", "application/json"}, {"specversion", "1.0"}, {"id", "a b"}, {"source", "/s"}, {"type", "t"}};
  CHECK(door.pulled[1].attributes == wanted);
}

TEST_CASE("http: any content goes on as it is, when the source takes other envelopes", "[http][source]") {
  Door door(config(R"(,"content":"any")"), http_class());
  Client client(door.port);
  client.send(post(R"({"event_type":"x"})", "", "application/json"));
  REQUIRE(door.pulled_count(1, client));
  CHECK(door.pulled[0].flags == 0);
  CHECK(door.pulled[0].attributes.empty());
}

TEST_CASE("http: a header that cannot be decoded is refused, and never pulled", "[http][source]") {
  Door door(config(), http_class());
  Client client(door.port);
  client.send(post("1", "ce-specversion: 1.0\r\nce-id: %FF\r\nce-source: /s\r\nce-type: t\r\n", "application/json"));
  const std::string text = door.response(client);
  CHECK(status_of(text) == 400);
  CHECK(text.find("header_bad_utf8") != std::string::npos);
  CHECK(door.pulled.empty());
  client.send(post(kEvent));  // the connection lives on
  CHECK(door.pulled_count(1, client));
}

TEST_CASE("http: other paths and methods are told so", "[http][source]") {
  Door door(config(), http_class());
  CHECK(status_of(ask(door, "POST /other HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n")) == 404);
  const std::string get = ask(door, "GET /events HTTP/1.1\r\nHost: t\r\n\r\n");
  CHECK(status_of(get) == 405);
  CHECK(header_of(get, "Allow") == "POST, PUT");
  CHECK(status_of(ask(door, "OPTIONS /events HTTP/1.1\r\nHost: t\r\nWebHook-Request-Origin: a.b\r\n\r\n")) == 405);
  CHECK(status_of(ask(door, post(kEvent, "", "application/cloudevents+avro"))) == 415);
  CHECK(status_of(ask(door, "PO ST\r\n\r\n")) == 400);
  CHECK(status_of(ask(door, "POST /events HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")) == 400);
  CHECK(door.pulled.empty());
}

TEST_CASE("http: a token opens the door as bearer or in the query, and no log line shows it", "[http][source]") {
  Door door(config(R"(,"token":"s3cret+/=")"), http_class());
  CHECK(status_of(ask(door, post(kEvent))) == 401);
  CHECK(status_of(ask(door, post(kEvent, "Authorization: Bearer s3cret\r\n"))) == 401);
  CHECK(status_of(ask(door, post(kEvent, "Authorization: Basic s3cret+/=\r\n"))) == 401);
  CHECK(status_of(ask(door, post(kEvent, "Authorization: bearer s3cret+/=\r\n"))) == 202);
  std::string in_query = post(kEvent);
  in_query.replace(0, 12, "POST /events?x=1&access_token=s3cret%2B/%3D");
  CHECK(status_of(ask(door, in_query)) == 202);
  in_query.replace(in_query.find("s3cret"), 6, "wrong!");
  CHECK(status_of(ask(door, in_query)) == 401);
  CHECK_FALSE(door.host.logged("s3cret"));
}

TEST_CASE("http: requests that follow each other on one connection are answered in order", "[http][source]") {
  Door door(config(), http_class());
  Client client(door.port);
  std::string three;
  for (const char* id : {"1", "2", "3"}) {
    three += post(R"({"specversion":"1.0","source":"/s","type":"t","id":")" + std::string(id) + "\"}");
  }
  client.send(three);
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(door.pulled_count(i + 1, client));
    CHECK(door.pulled.size() == i + 1);
    CHECK(door.pulled[i].text.find("\"id\":\"" + std::to_string(i + 1)) != std::string::npos);
    door.settle(i, SLUICE_WAS_DELIVERED);
    CHECK(status_of(door.response(client)) == 202);
  }
  CHECK_FALSE(client.closed());
}

TEST_CASE("http: a chunked body and Expect: 100-continue are understood", "[http][source]") {
  Door door(config(), http_class());
  Client client(door.port);
  client.send(
      "POST /events HTTP/1.1\r\nHost: t\r\nContent-Type: application/cloudevents+json\r\nTransfer-Encoding: chunked\r\n"
      "\r\n3\r\nabc\r\n");
  for (int i = 0; i < 3; ++i) door.step();
  client.send("2\r\nde\r\n0\r\n\r\n");
  REQUIRE(door.pulled_count(1, client));
  CHECK(door.pulled[0].text == "abcde");

  Client careful(door.port);
  const std::string request = post(kEvent, "Expect: 100-continue\r\n");
  const std::size_t body = request.find("\r\n\r\n") + 4;
  careful.send(request.substr(0, body));
  CHECK(status_of(door.response(careful)) == 100);
  careful.send(request.substr(body));
  CHECK(door.pulled_count(2, careful));
}

TEST_CASE("http: a body beyond max_body_bytes is 413, told or chunked, and the caller can read it", "[http][source]") {
  Door door(config(R"(,"max_body_bytes":1000)"), http_class());
  const std::string large(300'000, 'x');
  Client client(door.port);
  client.send(post(large));
  CHECK(status_of(door.response(client)) == 413);
  CHECK(door.until([&] { return client.closed(); }));
  CHECK_FALSE(client.was_reset());

  Client chunked(door.port);
  chunked.send("POST /events HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n" +
               large.substr(0, 0x2000) + "\r\n");
  CHECK(status_of(door.response(chunked)) == 413);
  CHECK(door.pulled.empty());
}

TEST_CASE("http: a head beyond max_header_bytes is 431", "[http][source]") {
  Door door(config(R"(,"max_header_bytes":2048)"), http_class());
  Client client(door.port);
  client.send("POST /events HTTP/1.1\r\nHost: t\r\nX: " + std::string(4000, 'x') + "\r\n\r\n");
  CHECK(status_of(door.response(client)) == 431);
}

TEST_CASE("http: callers beyond max_in_flight get 503 with Retry-After, and nothing is queued without bound",
          "[http][source]") {
  Door door(config(R"(,"max_in_flight":2)"), http_class());
  Client a(door.port), b(door.port), c(door.port);
  a.send(post(kEvent));
  b.send(post(kEvent));
  REQUIRE(door.until([&] { return door.pulled.size() == 2; }));
  c.send(post(kEvent));
  const std::string text = door.response(c);
  CHECK(status_of(text) == 503);
  CHECK(header_of(text, "Retry-After") == "1");
  CHECK(header_of(text, "Connection").empty());
  door.settle(0, SLUICE_WAS_DELIVERED);
  c.send(post(kEvent));
  CHECK(door.until([&] {
    c.pump();
    return door.pulled.size() == 3;
  }));
}

TEST_CASE("http: a graph without room leaves requests parked, and turns further ones away", "[http][source]") {
  Door door(config(R"(,"max_in_flight":1,"settle_timeout":1000)"), http_class());
  Client a(door.port), b(door.port);
  a.send(post(kEvent));
  for (int i = 0; i < 3; ++i) door.step(0);
  b.send(post(kEvent));
  CHECK(status_of(door.response(b, 0)) == 503);
  CHECK(a.response().empty());
  door.host.advance_ms(1001);
  const std::string text = door.response(a, 0);
  CHECK(status_of(text) == 503);
  CHECK(text.find("nothing was taken") != std::string::npos);
  door.step();
  CHECK(door.pulled.empty());
}

TEST_CASE("http: a caller waits no longer than settle_timeout, and a late settlement harms nothing", "[http][source]") {
  Door door(config(R"(,"settle_timeout":1000)"), http_class());
  Client client(door.port);
  client.send(post(kEvent));
  REQUIRE(door.pulled_count(1, client));
  door.host.advance_ms(1001);
  CHECK(status_of(door.response(client)) == 504);
  client.send(post(kEvent));
  REQUIRE(door.pulled_count(2, client));
  door.settle(0, SLUICE_WAS_DELIVERED);
  for (int i = 0; i < 3; ++i) door.step();
  CHECK(client.response().empty());  // the late word was for the first request
  door.settle(1, SLUICE_WAS_DELIVERED);
  CHECK(status_of(door.response(client)) == 202);
}

TEST_CASE("http: slow callers are cut off, in the head and in the body, and idle ones too", "[http][source]") {
  Door door(config(R"(,"header_timeout":1000,"body_timeout":2000,"idle_timeout":5000)"), http_class());
  Client head(door.port), body(door.port), idle(door.port);
  head.send("POST /events HT");
  const std::string request = post(kEvent);
  body.send(request.substr(0, request.size() - 5));
  for (int i = 0; i < 5; ++i) door.step();
  door.host.advance_ms(1001);
  CHECK(status_of(door.response(head)) == 408);
  CHECK(door.until([&] { return head.closed(); }));
  CHECK(body.response().empty());
  door.host.advance_ms(1001);
  CHECK(status_of(door.response(body)) == 408);
  CHECK_FALSE(idle.closed());
  door.host.advance_ms(3001);
  CHECK(door.until([&] { return idle.closed(); }));
}

TEST_CASE("http: connections beyond max_connections wait, and come in when one leaves", "[http][source]") {
  Door door(config(R"(,"max_connections":1)"), http_class());
  Client first(door.port);
  first.send(post(kEvent));
  REQUIRE(door.pulled_count(1, first));
  Client second(door.port);
  second.send(post(kEvent));
  for (int i = 0; i < 5; ++i) door.step();
  CHECK(door.pulled.size() == 1);
  CHECK(door.host.logged("max_connections"));
  door.settle(0, SLUICE_WAS_DELIVERED);
  CHECK(status_of(door.response(first)) == 202);
  first.hang_up();
  CHECK(door.pulled_count(2, second));
}

TEST_CASE("http: bodies are bounded together, and one alone always fits", "[http][source]") {
  Door door(config(R"(,"max_in_flight_bytes":1000,"max_body_bytes":5000)"), http_class());
  Client large(door.port), next(door.port);
  large.send(post(std::string(4000, 'x')));
  for (int i = 0; i < 3; ++i) door.step(0);
  next.send(post(std::string(100, 'y')));
  CHECK(status_of(door.response(next, 0)) == 503);
  CHECK(door.pulled_count(1, large));
}

TEST_CASE("http: rate_per_minute is kept, with 429 and Retry-After", "[http][source]") {
  Door door(config(R"(,"rate_per_minute":2)"), http_class());
  CHECK(status_of(ask(door, post(kEvent))) == 202);
  CHECK(status_of(ask(door, post(kEvent))) == 202);
  const std::string text = ask(door, post(kEvent));
  CHECK(status_of(text) == 429);
  CHECK(std::stoi(header_of(text, "Retry-After")) >= 30);
  door.host.advance_ms(31'000);
  CHECK(status_of(ask(door, post(kEvent))) == 202);
}

TEST_CASE("http: deliveries that name another origin are refused, when origins are configured", "[http][source]") {
  Door open(config(R"(,"allowed_origins":["a.example"])"), http_class());
  CHECK(status_of(ask(open, post(kEvent, "WebHook-Request-Origin: b.example\r\n"))) == 403);
  CHECK(status_of(ask(open, post(kEvent, "WebHook-Request-Origin: A.Example\r\n"))) == 202);
  CHECK(status_of(ask(open, post(kEvent))) == 202);
  Door strict(config(R"(,"allowed_origins":["a.example"],"require_origin":true)"), http_class());
  CHECK(status_of(ask(strict, post(kEvent))) == 403);
}

TEST_CASE("http: a stop answers what is in flight, turns the rest away and closes the door", "[http][source]") {
  Door door(config(), http_class());
  Client in_graph(door.port), idle(door.port), late(door.port), parked(door.port);
  in_graph.send(post(kEvent));
  REQUIRE(door.pulled_count(1, in_graph));
  late.send("POST /eve");
  parked.send(post(kEvent));
  for (int i = 0; i < 5; ++i) door.step(0);
  CHECK(door.node.stop() == SLUICE_OK);
  const std::string turned = door.response(parked);
  CHECK(status_of(turned) == 503);
  CHECK(header_of(turned, "Connection") == "close");
  CHECK(door.until([&] { return idle.closed(); }));
  late.send(post(kEvent).substr(9));
  CHECK(status_of(door.response(late)) == 503);
  CHECK_THROWS(Client(door.port));
  door.settle(0, SLUICE_WAS_DELIVERED);
  const std::string last = door.response(in_graph);
  CHECK(status_of(last) == 202);
  CHECK(header_of(last, "Connection") == "close");
  CHECK(door.pulled.size() == 1);
}

TEST_CASE("http: callers who hang up cost nothing and break nothing", "[http][source]") {
  Door door(config(R"(,"max_in_flight":2)"), http_class());
  for (int i = 0; i < 10; ++i) {
    Client client(door.port);
    client.send(post(kEvent));
    REQUIRE(door.pulled_count(door.pulled.size() + 1, client));
    client.hang_up();
    door.settle(door.pulled.size() - 1, SLUICE_WAS_DELIVERED);
  }
  CHECK(status_of(ask(door, post(kEvent))) == 202);
}

TEST_CASE("http: a port in use is told with its address, and a bad one is refused before", "[http][source]") {
  Door door(config(), http_class());
  rig::Host host;
  const std::string same = "127.0.0.1:" + std::to_string(door.port);
  rig::Node second(http_class(), R"({"listen":")" + same + "\"}", host);
  CHECK_THROWS_WITH(second.start(), Catch::Contains(same) && Catch::Contains("in use"));
  CHECK(second.status == SLUICE_BAD_CONFIG);
  for (const char* bad : {"nonsense", "127.0.0.1:", "127.0.0.1:99999", "::1:80", "host.example:80", "127.0.0.1:80x"}) {
    CHECK_THROWS_WITH(rig::Node(http_class(), R"({"listen":")" + std::string(bad) + "\"}", host),
                      Catch::Contains("listen"));
  }
}

TEST_CASE("http: a wake ends the wait at once", "[http][source]") {
  Door door(config(), http_class());
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  REQUIRE(::write(pipe[1], "x", 1) == 1);
  // Twice: the descriptor stays readable, and each wait must see it. Ten minutes each would end the test otherwise.
  door.node.poll(600'000, 256, pipe[0]);
  door.node.poll(600'000, 256, pipe[0]);
  CHECK(door.node.status == SLUICE_OK);
  ::close(pipe[0]);
  ::close(pipe[1]);
}
