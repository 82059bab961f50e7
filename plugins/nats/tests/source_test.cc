// The source against a real server: what comes, what becomes of it, and what is said when it cannot go on.
#include "source_driver.hh"

using namespace nats_test;

TEST_CASE("nats source: every message comes once, in order, byte for byte, and is acknowledged when settled",
          "[nats][live]") {
  NatsServer server;
  FarSide far(server.url());
  far.make_stream("S", "s.>");
  fill(far, 0, 2000);
  SourceDriver driver(source_config(server.url()));
  driver.node.start();
  REQUIRE(driver.until([&] {
    const std::size_t before = driver.pulled.size();
    (void)driver.pull();
    driver.settle(before, driver.pulled.size());
    return driver.pulled.size() == 2000;
  }));
  for (std::uint64_t i = 0; i < 2000; ++i) {
    REQUIRE(driver.pulled[i].text == event(i));
    REQUIRE(driver.pulled[i].position == "S:" + std::to_string(i + 1));
  }
  REQUIRE(driver.until([&] { return consumer(far)["num_ack_pending"] == 0; }));
  CHECK(consumer(far)["ack_floor"]["stream_seq"] == 2000);
  CHECK(driver.pulled.size() == 2000);
}

TEST_CASE("nats source: what comes later comes at once", "[nats][live]") {
  NatsServer server;
  FarSide far(server.url());
  far.make_stream("S", "s.>");
  SourceDriver driver(source_config(server.url()));
  driver.node.start();
  for (std::uint64_t i = 0; i < 5; ++i) {
    fill(far, i, 1);
    REQUIRE(driver.until_pulled(i + 1));
  }
}

TEST_CASE("nats source: no more is asked for than batch_size, and nothing without room", "[nats][live]") {
  NatsServer server;
  FarSide far(server.url());
  far.make_stream("S", "s.>");
  fill(far, 0, 100);
  SourceDriver driver(source_config(server.url(), R"("batch_size":10)"));
  driver.node.start();
  for (int i = 0; i < 20; ++i) driver.poll(5, 0);
  CHECK(consumer(far)["num_ack_pending"] == 0);
  REQUIRE(driver.poll_until([&] { return consumer(far)["num_ack_pending"] == 10; }));
  for (int i = 0; i < 50; ++i) driver.poll(5, 256);
  CHECK(consumer(far)["num_ack_pending"] == 10);
  REQUIRE(driver.until_pulled(100));
}

TEST_CASE("nats source: what was not delivered comes again after nak_delay, what was rejected does not",
          "[nats][live]") {
  NatsServer server;
  FarSide far(server.url());
  far.make_stream("S", "s.>");
  fill(far, 0, 3);
  SourceDriver driver(source_config(server.url(), R"("nak_delay":200)"));
  driver.node.start();
  REQUIRE(driver.until_pulled(3));
  driver.settle(0, 1, SLUICE_WAS_REJECTED);
  driver.settle(1, 2, SLUICE_NOT_DELIVERED);
  driver.settle(2, 3, SLUICE_WAS_DROPPED);
  REQUIRE(driver.until_pulled(4));
  CHECK(driver.pulled[3].text == event(1));
  driver.settle(3, 4);
  REQUIRE(driver.until([&] { return consumer(far)["num_ack_pending"] == 0; }));
  CHECK(driver.pulled.size() == 4);
  CHECK(driver.host.cell("nats_terminated_total")->count == 1);
  CHECK(driver.host.cell("nats_returned_total")->count == 1);
  CHECK(driver.host.cell("nats_redelivered_total")->count == 1);
}

TEST_CASE("nats source: an event that takes longer than ack_wait is not handed out again meanwhile", "[nats][live]") {
  NatsServer server;
  FarSide far(server.url());
  far.make_stream("S", "s.>");
  fill(far, 0, 1);
  SourceDriver driver(source_config(server.url(), R"("ack_wait":600)"));
  driver.node.start();
  REQUIRE(driver.until_pulled(1));
  const auto end = std::chrono::steady_clock::now() + 2s;  // more than three times ack_wait
  REQUIRE(driver.until([&] { return std::chrono::steady_clock::now() > end; }));
  CHECK(driver.pulled.size() == 1);
  CHECK(consumer(far)["num_redelivered"] == 0);
  driver.settle(0, 1);
  REQUIRE(driver.until([&] { return consumer(far)["num_ack_pending"] == 0; }));
}

TEST_CASE("nats source: what a host that vanished held comes to the next one after ack_wait", "[nats][live]") {
  NatsServer server;
  FarSide far(server.url());
  far.make_stream("S", "s.>");
  fill(far, 0, 50);
  {
    SourceDriver first(source_config(server.url(), R"("ack_wait":500)"));
    first.node.start();
    REQUIRE(first.until_pulled(50));
    first.settle(0, 20);
  }
  SourceDriver second(source_config(server.url(), R"("ack_wait":500)"));
  second.node.start();
  REQUIRE(second.until_pulled(30));
  std::set<std::string> texts;
  for (const Pulled& one : second.pulled) texts.insert(one.text);
  for (std::uint64_t i = 20; i < 50; ++i) CHECK(texts.count(event(i)) == 1);
}

TEST_CASE("nats source: two of one consumer share the work", "[nats][live]") {
  NatsServer server;
  FarSide far(server.url());
  far.make_stream("S", "s.>");
  SourceDriver a(source_config(server.url(), R"("batch_size":20)")),
      b(source_config(server.url(), R"("batch_size":20)"));
  a.node.start();
  b.node.start();
  fill(far, 0, 400);
  std::size_t settled_a = 0, settled_b = 0;
  REQUIRE(a.until([&] {
    (void)b.pull();
    b.poll(1);
    a.settle(settled_a, a.pulled.size());
    b.settle(settled_b, b.pulled.size());
    settled_a = a.pulled.size();
    settled_b = b.pulled.size();
    return settled_a + settled_b == 400;
  }));
  CHECK(settled_a > 0);
  CHECK(settled_b > 0);
}

TEST_CASE("nats source: a stream or consumer that is missing is named with the cure", "[nats][live]") {
  NatsServer server;
  FarSide far(server.url());
  SourceDriver driver(source_config(server.url(), R"("create":false)"));
  CHECK_THROWS_WITH(driver.node.start(), Catch::Contains("stream 'S' does not exist"));
  CHECK(driver.node.status == SLUICE_AWAY);
  far.make_stream("S", "s.>");
  CHECK_THROWS_WITH(driver.node.start(), Catch::Contains("stream 'S' has no consumer 'C': make it"));
}

TEST_CASE("nats source: a consumer that is deleted is told, made again, and goes on", "[nats][live]") {
  NatsServer server;
  FarSide far(server.url());
  far.make_stream("S", "s.>");
  SourceDriver driver(source_config(server.url()));
  driver.node.start();
  fill(far, 0, 3);
  REQUIRE(driver.until_pulled(3));
  driver.settle(0, 3);
  REQUIRE(driver.until([&] { return consumer(far)["num_ack_pending"] == 0; }));
  far.ask("$JS.API.CONSUMER.DELETE.S.C");
  REQUIRE(driver.until([&] {
    return driver.pull() == SLUICE_AWAY &&
           (holds(driver.node.error, "was deleted") || holds(driver.node.error, "is gone"));
  }));
  REQUIRE(driver.until_pulled(6));  // a new consumer begins at the beginning
  CHECK(driver.pulled[3].text == event(0));
}

TEST_CASE("nats source: a message longer than max_bytes comes alone", "[nats][live]") {
  NatsServer server("max_payload: 8MB");
  FarSide far(server.url());
  far.make_stream("S", "s.>");
  const std::string big =
      R"({"specversion":"1.0","id":"b","source":"s","type":"t","data":")" + std::string(1024 * 1024, 'x') + R"("})";
  fill(far, 0, 3);
  far.publish("s.x", big);
  fill(far, 4, 3);
  SourceDriver driver(source_config(server.url(), R"("max_bytes":65536)"));
  driver.node.start();
  REQUIRE(driver.until_pulled(7));
  CHECK(driver.pulled[3].text == big);
  CHECK(driver.pulled[6].text == event(6));
}

TEST_CASE("nats source: all modes are read", "[nats][live]") {
  NatsServer server;
  FarSide far(server.url());
  far.make_stream("S", "s.>");
  far.publish("s.x", event(1));
  far.publish("s.x", event(2), {{"Content-Type", "application/cloudevents+json; charset=utf-8"}, {"ce-id", "no"}});
  far.publish("s.x", R"({"a":1})",
              {{"ce-specversion", "1.0"},
               {"CE-Id", "3"},
               {"ce-source", "/s"},
               {"ce-type", "t%20x"},
               {"ce-datacontenttype", "application/json"},
               {"ce-raw", "100%"}});
  far.publish(
      "s.x", "<a/>",
      {{"ce-specversion", "1.0"}, {"ce-id", "4"}, {"ce-source", "/s"}, {"ce-type", "t"}, {"content-type", "text/xml"}});
  far.publish("s.x", "", {{"ce-specversion", "1.0"}, {"ce-id", "5"}, {"ce-source", "/s"}, {"ce-type", "t"}});
  SourceDriver driver(source_config(server.url()));
  driver.node.start();
  REQUIRE(driver.until_pulled(5));
  CHECK(driver.pulled[0].flags == 0);
  CHECK(driver.pulled[1].flags == SLUICE_SINGLE);
  CHECK(driver.pulled[1].attributes.empty());
  REQUIRE(driver.pulled[2].flags == SLUICE_ATTRIBUTES);
  CHECK(driver.pulled[2].text == R"({"a":1})");
  CHECK(driver.pulled[2].attribute("id") == "3");
  CHECK(driver.pulled[2].attribute("type") == "t x");
  CHECK(driver.pulled[2].attribute("raw") == "100%");
  CHECK(driver.pulled[2].attribute("datacontenttype") == "application/json");
  CHECK(driver.pulled[3].attribute("datacontenttype") == "text/xml");
  CHECK(driver.pulled[4].attribute("id") == "5");
}

TEST_CASE("nats source: killed and restarted under load, nothing is lost", "[nats][live]") {
  NatsServer server;
  auto far = std::make_unique<FarSide>(server.url());
  far->make_stream("S", "s.>");
  fill(*far, 0, 3000);
  SourceDriver driver(source_config(server.url(), R"("ack_wait":1000,"batch_size":100)"));
  driver.node.start();
  std::set<std::string> seen;
  std::size_t settled = 0;
  const auto work = [&] {
    for (; settled < driver.pulled.size(); ++settled) {
      seen.insert(driver.pulled[settled].text);
      driver.settle(settled, settled + 1);
    }
    return seen.size();
  };
  for (const std::size_t kill_at : {500, 1500}) {
    REQUIRE(driver.until([&] { return work() >= kill_at; }));
    server.kill(SIGKILL);
    REQUIRE(driver.until([&] { return work(), driver.pull() == SLUICE_AWAY; }));
    server.start();
  }
  REQUIRE(driver.until([&] { return work() == 3000; }));
  far = std::make_unique<FarSide>(server.url());
  REQUIRE(driver.until([&] { return work(), consumer(*far)["num_ack_pending"] == 0; }));
}

TEST_CASE("nats source: stop gives back what nobody has pulled", "[nats][live]") {
  NatsServer server;
  FarSide far(server.url());
  far.make_stream("S", "s.>");
  fill(far, 0, 10);
  SourceDriver driver(source_config(server.url()));
  driver.node.start();
  REQUIRE(driver.poll_until([&] { return consumer(far)["num_ack_pending"] == 10; }));
  REQUIRE(driver.node.stop() == SLUICE_OK);
  SourceDriver next(source_config(server.url()));
  next.node.start();
  REQUIRE(next.until([&] { return driver.poll(1, 0), next.pulled.size() == 10; }));
}

TEST_CASE("nats_core: a queue group shares what comes, and what waits is bounded", "[nats][live]") {
  NatsServer server("", false);
  FarSide far(server.url());
  const std::string more = R"("subject":"s.>","queue_group":"g","max_waiting":200)";
  SourceDriver a(config(server.url(), more), 2), b(config(server.url(), more), 2);
  a.node.start();
  b.node.start();
  fill(far, 0, 100);
  REQUIRE(a.until([&] { return (void)b.pull(), b.poll(1), a.pulled.size() + b.pulled.size() == 100; }));
  CHECK(a.pulled.size() > 0);
  CHECK(b.pulled.size() > 0);
  REQUIRE(b.node.stop() == SLUICE_OK);
  far.flush();
  fill(far, 100, 1000);
  for (int i = 0; i < 50; ++i) a.poll(2, 0);
  CHECK(a.host.logged("max_waiting is reached"));
  CHECK(a.host.cell("nats_dropped_total")->count > 0);
}
