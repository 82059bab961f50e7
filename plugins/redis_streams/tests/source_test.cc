// The source against a real server: reading, acknowledging, coming again, the backlog.
#include "reader.hh"

using namespace redis_test;

TEST_CASE("redis_streams source: entries come in order, byte for byte, and are acknowledged when settled",
          "[redis][live]") {
  RedisServer server;
  publish(server, 0, 1000);
  Reader reader(source_config(server.url()));
  reader.node.start();
  REQUIRE(reader.read(1000));
  CHECK(pending(server) == "1000");
  for (std::size_t i = 0; i < 1000; ++i) REQUIRE(reader.reads[i].text == event(i));
  CHECK(reader.reads[0].position.rfind("nlp-events/1", 0) == 0);
  reader.settle_all();
  REQUIRE(reader.step_until([&] { return pending(server) == "0"; }));
  CHECK(reader.reads.size() == 1000);
  publish(server, 1000, 1);
  REQUIRE(reader.consume(1001, server));
  CHECK(reader.reads.size() == 1001);
}

TEST_CASE("redis_streams source: dropped and rejected are acknowledged, too", "[redis][live]") {
  RedisServer server;
  publish(server, 0, 3);
  Reader reader(source_config(server.url(), R"("retry_after":0)"));
  reader.node.start();
  REQUIRE(reader.read(3));
  reader.settle(0, 1, SLUICE_WAS_DROPPED);
  reader.settle(1, 2, SLUICE_WAS_REJECTED);
  reader.settle(2, 3, SLUICE_NOT_DELIVERED);
  REQUIRE(reader.step_until([&] { return pending(server) == "1"; }));
}

TEST_CASE("redis_streams source: what was not delivered comes again after a while", "[redis][live]") {
  RedisServer server;
  publish(server, 0, 10);
  Reader reader(source_config(server.url(), R"("retry_after":100)"));
  reader.node.start();
  REQUIRE(reader.read(10));
  reader.settle(0, 4);
  reader.settle(4, 7, SLUICE_NOT_DELIVERED);
  REQUIRE(reader.read(13));
  CHECK(reader.reads[10].text == event(4));
  CHECK(reader.reads[12].text == event(6));
  CHECK(pending(server) == "6");  // three are still at work, and were not offered twice
  CHECK(reader.counter("redis_redelivered_total") == 3);
  reader.settle(7, 13);
  REQUIRE(reader.step_until([&] { return pending(server) == "0"; }));
  CHECK(reader.reads.size() == 13);
}

TEST_CASE("redis_streams source: with retry_after 0 it stays pending until the next start", "[redis][live]") {
  RedisServer server;
  publish(server, 0, 5);
  const std::string config = source_config(server.url(), R"("retry_after":0,"claim_idle_ms":0,"max_in_flight":4)");
  {
    Reader reader(config);
    reader.node.start();
    REQUIRE(reader.read(4));
    reader.settle_all(SLUICE_NOT_DELIVERED);
    REQUIRE(reader.read(5));  // it holds no place
    reader.settle_all(SLUICE_NOT_DELIVERED);
    reader.node.stop();
  }
  CHECK(pending(server) == "5");
  Reader again(config);
  again.node.start();
  REQUIRE(again.consume(5, server));
  CHECK(again.reads[0].text == event(0));
}

TEST_CASE("redis_streams source: unsettled entries come again after a crash, to a reader of the same name",
          "[redis][live]") {
  RedisServer server;
  publish(server, 0, 500);
  {
    Reader crashed(source_config(server.url()));
    crashed.node.start();
    REQUIRE(crashed.read(500));
    crashed.settle(0, 200);
    REQUIRE(crashed.step_until([&] { return pending(server) == "300"; }));
  }
  publish(server, 500, 100);
  Reader reader(source_config(server.url()));
  reader.node.start();
  REQUIRE(reader.consume(400, server));
  CHECK(reader.reads.size() == 400);
  CHECK(reader.reads[0].text == event(200));  // first what is owed, then what is new
  CHECK(reader.reads[399].text == event(599));
}

TEST_CASE("redis_streams source: what is settled last is acknowledged even so", "[redis][live]") {
  RedisServer server;
  publish(server, 0, 300);
  {
    Reader reader(source_config(server.url()));
    reader.node.start();
    REQUIRE(reader.read(300));
    reader.node.stop();
    reader.settle_all();  // as a host does at its end: no poll after it
  }
  CHECK(pending(server) == "0");
}

TEST_CASE("redis_streams source: no more is read than may be in flight", "[redis][live]") {
  RedisServer server;
  publish(server, 0, 100);
  Reader reader(source_config(server.url(), R"("max_in_flight":30,"batch_size":10)"));
  reader.node.start();
  REQUIRE(reader.read(30));
  for (int i = 0; i < 5; ++i) reader.step();
  CHECK(reader.reads.size() == 30);
  CHECK(pending(server) == "30");
  REQUIRE(reader.consume(100, server));
  CHECK(reader.reads.size() == 100);
}

TEST_CASE("redis_streams source: an event of one MiB, and one that is larger than the host takes", "[redis][live]") {
  RedisServer server;
  const std::string large = event(1).insert(1, R"("big":")" + std::string(1024 * 1024, 'x') + R"(",)");
  const std::string huge(9 * 1024 * 1024, 'y');
  server.ask({"XADD", kStream, "*", "event", large});
  server.ask({"XADD", kStream, "*", "event", huge});
  publish(server, 2, 1);
  Reader reader(source_config(server.url()));
  reader.node.start();
  REQUIRE(reader.read(3));
  CHECK(reader.reads[0].text == large);
  CHECK(reader.reads[1].text == huge);
  CHECK(reader.reads[2].text == event(2));
}

TEST_CASE("redis_streams source: an entry without an event is handed over as it is, to be rejected", "[redis][live]") {
  RedisServer server;
  server.ask({"XADD", kStream, "*", "payload", "x"});
  publish(server, 1, 1);
  Reader reader(source_config(server.url()));
  reader.node.start();
  REQUIRE(reader.consume(2, server));
  CHECK(reader.reads[0].text == R"({"payload":"x"})");
  CHECK(reader.reads[1].text == event(1));
  CHECK(reader.counter("redis_without_event_total") == 1);
  CHECK(reader.host.logged("without the field 'event'"));
}

TEST_CASE("redis_streams source: another field, another database, single keys instead of a url", "[redis][live]") {
  RedisServer server;
  server.ask({"XADD", "s", "*", "body", event(1)}, 3);
  const redis_streams::Address address = server.address();
  Reader reader(R"({"host":"127.0.0.1","port":)" + std::to_string(address.port) +
                R"(,"db":3,"source_stream":"s","field":"body"})");
  reader.node.start();
  REQUIRE(reader.read(1));
  CHECK(reader.reads[0].text == event(1));
}

TEST_CASE("redis_streams source: the backlog is read from its start, told in batches, and told when it is done",
          "[redis][live]") {
  RedisServer server;
  publish(server, 0, 350);
  Reader reader(source_config(server.url(), R"("process_backlog":true,"backlog_batch_size":100)"));
  reader.node.start();
  CHECK(reader.host.logged("backlog_processing_started: count=350"));
  REQUIRE(reader.consume(350, server));
  CHECK(reader.host.logged("backlog_batch_processed: batch=1, events="));
  CHECK(reader.host.logged("backlog_processing_completed: total=350"));
}

TEST_CASE("redis_streams source: without process_backlog a new group begins with what comes from now on",
          "[redis][live]") {
  RedisServer server;
  publish(server, 0, 50);
  const std::string config = source_config(server.url(), R"("process_backlog":false)");
  {
    Reader reader(config);
    reader.node.start();
    publish(server, 50, 10);
    REQUIRE(reader.consume(10, server));
    CHECK(reader.reads[0].text == event(50));
    CHECK_FALSE(reader.host.logged("backlog"));
  }
  publish(server, 60, 5);  // while nobody reads: the group is there, so these are not its backlog but its due
  Reader reader(config);
  reader.node.start();
  REQUIRE(reader.consume(5, server));
  CHECK(reader.reads[0].text == event(60));
}

TEST_CASE("redis_streams source: backlog that is too old is acknowledged unread, counted and told", "[redis][live]") {
  RedisServer server;
  for (int i = 1; i <= 5; ++i) server.ask({"XADD", kStream, std::to_string(1000 + i) + "-0", "event", event(i)});
  publish(server, 100, 20);
  Reader reader(source_config(server.url(), R"("process_backlog":true,"backlog_max_age_hours":24)"));
  reader.node.start();
  REQUIRE(reader.consume(20, server));
  CHECK(reader.reads.size() == 20);
  CHECK(reader.reads[0].text == event(100));
  CHECK(reader.counter("redis_backlog_too_old_total") == 5);
  CHECK(reader.host.logged("backlog_events_too_old: acknowledged=5"));
  CHECK(reader.host.logged("backlog_processing_completed: total=25, too_old=5"));
}

TEST_CASE("redis_streams source: lag and pending are shown", "[redis][live]") {
  RedisServer server;
  publish(server, 0, 100);
  Reader reader(source_config(server.url(), R"("max_in_flight":40,"batch_size":10)"));
  reader.node.start();
  CHECK(reader.node.probe() == SLUICE_OK);
  REQUIRE(reader.read(40));
  REQUIRE(reader.step_until([&] { return reader.gauge("source_pending_events") == 40; }));
  CHECK(reader.gauge("source_lag_events") == 60);
  CHECK(reader.gauge("source_group_exists") == 1);
  REQUIRE(reader.consume(100, server));
  REQUIRE(reader.step_until([&] { return reader.gauge("source_pending_events") == 0; }));
  CHECK(reader.gauge("source_lag_events") == 0);
}

TEST_CASE("redis_streams source: with stop_at_end it ends when the stream is read", "[redis][live]") {
  RedisServer server;
  publish(server, 0, 700);
  const std::string config = source_config(server.url(), R"("stop_at_end":true)");
  {
    Reader reader(config);
    reader.node.start();
    REQUIRE(reader.step_until([&] { return reader.ended; }));
    CHECK(reader.reads.size() == 700);
    reader.node.stop();
    reader.settle(0, 300);
  }
  CHECK(pending(server) == "400");
  Reader rest(config);
  rest.node.start();
  REQUIRE(rest.step_until([&] { return rest.ended; }));
  CHECK(rest.reads.size() == 400);
}
