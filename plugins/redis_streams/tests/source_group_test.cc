// Several members of one group: sharing, dying, being taken over.
#include "reader.hh"

using namespace redis_test;

TEST_CASE("redis_streams source: two members share a stream, each entry goes to one of them", "[redis][live]") {
  RedisServer server;
  Reader one(source_config(server.url(), R"("batch_size":10)", "one"));
  Reader two(source_config(server.url(), R"("batch_size":10)", "two"));
  one.node.start();
  two.node.start();
  publish(server, 0, 400);
  REQUIRE(one.step_until([&] {
    two.step();
    one.settle_all();
    two.settle_all();
    return one.reads.size() + two.reads.size() >= 400 && pending(server) == "0";
  }));
  CHECK(one.reads.size() + two.reads.size() == 400);
  CHECK(one.reads.size() > 0);
  CHECK(two.reads.size() > 0);
}

TEST_CASE("redis_streams source: what a dead member had is taken over, and nothing of a living one", "[redis][live]") {
  RedisServer server;
  publish(server, 0, 100);
  {
    Reader dead(source_config(server.url(), "", "dead"));
    dead.node.start();
    REQUIRE(dead.read(100));
    dead.settle(0, 40);
    REQUIRE(dead.step_until([&] { return pending(server) == "60"; }));
  }
  Reader living(source_config(server.url(), R"("claim_idle_ms":600)", "living"));
  living.node.start();
  publish(server, 100, 30);
  // It holds its thirty for longer than claim_idle: kept fresh, they are nobody's to take.
  REQUIRE(living.step_until([&] { return living.reads.size() >= 90; }));
  CHECK(living.counter("redis_claimed_total") == 60);
  Reader other(source_config(server.url(), R"("claim_idle_ms":600)", "other"));
  other.node.start();
  for (const auto end = std::chrono::steady_clock::now() + 2s; std::chrono::steady_clock::now() < end;) {
    living.step(5);
    other.step(5);
  }
  CHECK(other.reads.empty());
  living.settle_all();
  REQUIRE(living.step_until([&] { return pending(server) == "0"; }));
  CHECK(living.different() == 90);
}

TEST_CASE("redis_streams source: with claim_idle_ms 0 nothing is taken over", "[redis][live]") {
  RedisServer server;
  publish(server, 0, 10);
  {
    Reader dead(source_config(server.url(), "", "dead"));
    dead.node.start();
    REQUIRE(dead.read(10));
  }
  Reader living(source_config(server.url(), R"("claim_idle_ms":0)", "living"));
  living.node.start();
  publish(server, 10, 5);
  REQUIRE(living.read(5));
  living.settle_all();
  REQUIRE(living.step_until([&] { return pending(server) == "10"; }));
  CHECK(living.reads.size() == 5);
}

TEST_CASE("redis_streams source: an entry that was delivered too often is left alone and told", "[redis][live]") {
  RedisServer server;
  publish(server, 0, 2);
  const std::string config = source_config(server.url(), R"("max_deliveries":3,"retry_after":0)");
  for (int life = 0; life < 3; ++life) {
    Reader reader(config);
    reader.node.start();
    REQUIRE(reader.read(2));
  }
  Reader reader(config);
  reader.node.start();
  publish(server, 2, 1);
  REQUIRE(reader.read(1));
  CHECK(reader.reads[0].text == event(2));
  CHECK(reader.host.logged("was delivered 3 times and never acknowledged"));
  CHECK(reader.gauge("redis_left_alone_events") == 2);
  reader.settle_all();
  REQUIRE(reader.step_until([&] { return pending(server) == "2"; }));
}

TEST_CASE("redis_streams source: more pending entries than one page are all taken over", "[redis][live]") {
  RedisServer server;
  publish(server, 0, 1000);
  {
    Reader dead(source_config(server.url(), "", "dead"));
    dead.node.start();
    REQUIRE(dead.read(1000));
  }
  Reader living(source_config(server.url(), R"("claim_idle_ms":100,"max_in_flight":250)", "living"));
  living.node.start();
  REQUIRE(living.consume(1000, server));
}
