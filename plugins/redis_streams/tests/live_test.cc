// Against a real server: what arrives, where, and how it is trimmed.
#include "driver.hh"

using namespace redis_test;

TEST_CASE("redis_streams: every event arrives as it was received, in order, in the field 'event'", "[redis][live]") {
  RedisServer server;
  Driver driver(config(server.url("", 1), R"("max_len":0)"));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 3000)));
  CHECK(driver.each_answered_once());
  CHECK(driver.host.completed(SLUICE_OK) == 3000);
  CHECK(server.length("nlp-events", 1) == 3000);
  CHECK(server.length("nlp-events", 0) == 0);
  const std::string first =
      server.ask({"EVAL", "return redis.call('XRANGE', KEYS[1], '-', '+')[1][2]", "1", "nlp-events"}, 1);
  CHECK(first == "event");
  for (const std::uint64_t i : {0, 1, 2999}) {
    CHECK(server.ask({"EVAL", "return redis.call('XRANGE', KEYS[1], '-', '+')[tonumber(ARGV[1])][2][2]", "1",
                      "nlp-events", std::to_string(i + 1)},
                     1) == event(i));
  }
}

TEST_CASE("redis_streams: one event alone travels at once", "[redis][live]") {
  RedisServer server;
  Driver driver(config(server.url()));
  driver.node.start();
  REQUIRE(driver.offer(events(0, 1)) == 1);
  driver.node.flush();
  REQUIRE(driver.poll_until([&] { return driver.answered() == 1; }));
  CHECK(server.length("nlp-events") == 1);
}

TEST_CASE("redis_streams: no more than the window is under way", "[redis][live]") {
  RedisServer server;
  Driver driver(config(server.url(), R"("window":10)"));
  driver.node.start();
  CHECK(driver.offer(events(0, 100)) == 10);
  CHECK(driver.offer(events(10, 100)) == 0);
  CHECK(driver.node.status == SLUICE_OK);
  REQUIRE(driver.poll_until([&] { return driver.answered() == 10; }));
  CHECK(driver.offer(events(10, 3)) == 3);
  REQUIRE(driver.poll_until([&] { return driver.answered() == 13; }));
  CHECK(driver.each_answered_once());
}

TEST_CASE("redis_streams: a window of one still moves", "[redis][live]") {
  RedisServer server;
  Driver driver(config(server.url(), R"("window":1)"));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 20)));
  CHECK(server.length("nlp-events") == 20);
}

TEST_CASE("redis_streams: an event over max_event_bytes is rejected with the limit, and its neighbours pass",
          "[redis][live]") {
  RedisServer server;
  Driver driver(config(server.url(), R"("max_event_bytes":1000)"));
  driver.node.start();
  auto texts = events(0, 5);
  texts[2].insert(texts[2].size() - 2, R"(,"more":")" + std::string(1000, 'x') + '"');
  REQUIRE(driver.publish_all(texts));
  CHECK(driver.host.completed(SLUICE_OK) == 4);
  CHECK(driver.host.completed(SLUICE_REJECTED) == 1);
  CHECK(driver.each_answered_once());
  CHECK(server.length("nlp-events") == 4);
}

TEST_CASE("redis_streams: big events pass whole and bound what waits for the socket", "[redis][live]") {
  RedisServer server;
  Driver driver(config(server.url(), R"("window":64)"));
  driver.node.start();
  std::vector<std::string> big;
  for (int i = 0; i < 8; ++i) {
    big.push_back(R"({"specversion":"1.0","id":"1","source":"s","type":"t","data":")" + std::string(900'000, 'x') +
                  R"("})");
  }
  CHECK(driver.offer(big) < 8);
  REQUIRE(driver.poll_until([&] { return driver.answered() > 0; }));
  REQUIRE(driver.publish_all(big));
  CHECK(driver.host.completed(SLUICE_OK) == driver.answered());
  CHECK(server.length("nlp-events") == driver.answered());
}

TEST_CASE("redis_streams: the stream is trimmed to about max_len", "[redis][live]") {
  RedisServer server;
  Driver driver(config(server.url(), R"("max_len":500)"));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 5000)));
  CHECK(driver.host.completed(SLUICE_OK) == 5000);
  CHECK(server.length("nlp-events") >= 500);
  CHECK(server.length("nlp-events") < 1000);
}

TEST_CASE("redis_streams: old entries go, the key and its consumer groups stay", "[redis][live]") {
  RedisServer server;
  for (int i = 1; i <= 1000; ++i) {  // entries from 1970: older than any ttl
    server.ask({"XADD", "nlp-events", std::to_string(i) + "-1", "event", "{}"});
  }
  server.ask({"XGROUP", "CREATE", "nlp-events", "stage3", "0"});
  Driver driver(config(server.url(), R"("ttl_seconds":60,"max_len":0)"));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 10)));
  REQUIRE(driver.poll_until([&] { return server.length("nlp-events") < 1000; }));
  CHECK(server.length("nlp-events") >= 10);
  CHECK(server.ask({"TTL", "nlp-events"}) == "-1");
  CHECK(server.ask({"EVAL", "return #redis.call('XINFO', 'GROUPS', KEYS[1])", "1", "nlp-events"}) == "1");
  CHECK(driver.host.completed(SLUICE_OK) == 10);
}

TEST_CASE("redis_streams: trimming goes on while no events come, and its answers are told from those of events",
          "[redis][live]") {
  RedisServer server;
  Driver driver(config(server.url(), R"("ttl_seconds":1,"max_len":0)"));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 1000)));
  REQUIRE(driver.poll_until([&] { return server.length("nlp-events") < 900; }));
  REQUIRE(driver.publish_all(events(1000, 1000)));
  CHECK(driver.host.completed(SLUICE_OK) == 2000);
  CHECK(driver.each_answered_once());
}

TEST_CASE("redis_streams: over a unix socket", "[redis][live]") {
  RedisServer server;
  Driver driver(config("unix://" + server.socket_path() + "?db=2"));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 500)));
  CHECK(server.length("nlp-events", 2) == 500);
}

TEST_CASE("redis_streams: password, and user with password", "[redis][live]") {
  RedisServer server(
      {"--requirepass", "p@ss", "--user", "writer", "on", ">w", "~nlp-*", "+xadd", "+xtrim", "+time", "+ping", "+auth"},
      "p@ss");
  for (const char* credentials : {":p%40ss@", "default:p%40ss@", "writer:w@"}) {
    Driver driver(config(server.url(credentials)));
    driver.node.start();
    REQUIRE(driver.publish_all(events(0, 10)));
    CHECK(driver.host.completed(SLUICE_OK) == 10);
    CHECK(driver.node.probe() == SLUICE_OK);
  }
  CHECK(server.length("nlp-events") == 30);
}

TEST_CASE("redis_streams: stop completes what is left", "[redis][live]") {
  RedisServer server;
  Driver driver(config(server.url()));
  driver.node.start();
  REQUIRE(driver.offer(events(0, 5)) == 5);
  CHECK(driver.node.stop() == SLUICE_OK);
  CHECK(driver.host.completed(SLUICE_CANCELLED) == 5);
  CHECK(driver.each_answered_once());
}
