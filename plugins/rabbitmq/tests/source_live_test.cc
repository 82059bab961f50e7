// The source against a real server: what it takes, when it acknowledges, and what becomes of what was not delivered.
#include "server.hh"

using namespace rabbit_test;

namespace {

std::string numbered(std::uint64_t i) { return R"({"event_id":")" + std::to_string(i) + R"("})"; }

void put(Peer& peer, const std::string& queue, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) peer.put(queue, numbered(i));
  REQUIRE(peer.becomes(queue, static_cast<std::uint32_t>(count)));
}

std::string classic_then_dlx(const std::string& queue, const std::string& more = "") {
  return config(quoted("queue", queue) + R"(,"retry_delay":1,"max_retries":2,"dead_letter_exchange":")" + queue +
                R"(-dlx","dead_letter_queue":")" + queue + "-dead\"" + more);
}

}  // namespace

TEST_CASE("rabbitmq source: a queue bound by topic pattern takes what matches, in order, byte for byte", "[live]") {
  const std::string exchange = fresh("exchange"), queue = fresh("queue");
  Taker taker(config(quoted("queue", queue) + "," + quoted("exchange", exchange) +
                     R"(,"bindings":["speaker.*","draft.#"],"prefetch_count":100)"));
  taker.node.start();
  Publisher publisher(config(quoted("exchange", exchange) + R"(,"mandatory":false)"));
  publisher.node.start();
  REQUIRE(publisher.publish_all({event(1, "speaker.onboarded"), event(2, "rag.dfn_generated"), event(3, "draft.a.b"),
                                 event(4, "speaker.updated.twice"), event(5, "speaker.updated")}));
  REQUIRE(taker.take(3));
  CHECK(taker.taken[0].text == event(1, "speaker.onboarded"));
  CHECK(taker.taken[1].text == event(3, "draft.a.b"));
  CHECK(taker.taken[2].text == event(5, "speaker.updated"));
  CHECK(taker.taken[0].flags == SLUICE_SINGLE);
}

TEST_CASE("rabbitmq source: binary mode of our own backend comes back with every attribute", "[live]") {
  const std::string exchange = fresh("exchange"), queue = fresh("queue");
  Taker taker(config(quoted("queue", queue) + "," + quoted("exchange", exchange) + R"(,"bindings":["#"])"));
  taker.node.start();
  for (const std::string prefix : {"ce-", "cloudEvents_", "cloudEvents:"}) {
    Publisher publisher(
        config(quoted("exchange", exchange) + R"(,"mode":"binary",)" + quoted("header_prefix", prefix)));
    publisher.node.start();
    REQUIRE(publisher.publish_all({event(1, "t", R"(,"subject":"Zoë","correlationid":"c-1")")}));
  }
  REQUIRE(taker.take(3));
  for (const Taken& one : taker.taken) {
    CHECK(one.flags == SLUICE_ATTRIBUTES);
    CHECK(one.text == R"({"speaker_id":"s-1"})");
    CHECK(one.header("specversion") == "1.0");
    CHECK(one.header("id") == "1");
    CHECK(one.header("subject") == "Zoë");
    CHECK(one.header("correlationid") == "c-1");
    CHECK(one.header("datacontenttype") == "application/json");
  }
}

TEST_CASE("rabbitmq source: no more than prefetch_count is under way, and acknowledging brings the next", "[live]") {
  Peer peer;
  const std::string queue = fresh("queue");
  peer.queue(queue);
  put(peer, queue, 40);
  Taker taker(config(quoted("queue", queue) + R"(,"prefetch_count":7)"));
  taker.node.start();
  REQUIRE(taker.take(7));
  for (int i = 0; i < 20; ++i) taker.step(5);
  CHECK(taker.taken.size() == 7);
  taker.settle(2, SLUICE_WAS_DELIVERED);
  REQUIRE(taker.take(8));
  taker.settle_all(SLUICE_WAS_DROPPED);
  REQUIRE(taker.take(15));
  for (std::uint64_t i = 0; i < 15; ++i) CHECK(taker.taken[i].text == numbered(i));
}

TEST_CASE("rabbitmq source: what was settled is gone, what was not comes again after the end", "[live]") {
  Peer peer;
  const std::string queue = fresh("queue");
  peer.queue(queue);
  put(peer, queue, 100);
  {
    Taker taker(config(quoted("queue", queue) + R"(,"prefetch_count":100)"));
    taker.node.start();
    REQUIRE(taker.take(100));
    for (std::size_t i = 0; i < 100; ++i) {
      if (i % 3 != 0) taker.settle(i, SLUICE_WAS_DELIVERED);
    }
    taker.node.stop();
    taker.settle(0, SLUICE_WAS_DELIVERED);  // also after stop()
    taker.settle(3, SLUICE_NOT_DELIVERED, SLUICE_CODE_STOPPING);
  }
  CHECK(peer.becomes(queue, 33));
  const auto left = peer.take(queue, 33);
  CHECK(left[0].body == numbered(3));
  CHECK(left[0].redelivered);
}

TEST_CASE("rabbitmq source: what is rejected goes to the dead-letter exchange at once", "[live]") {
  Peer peer;
  const std::string queue = fresh("queue");
  Taker taker(classic_then_dlx(queue));
  taker.node.start();
  put(peer, queue + "-dead", 0);
  peer.put(queue, numbered(1));
  REQUIRE(taker.take(1));
  taker.settle(0, SLUICE_WAS_REJECTED);
  CHECK(peer.becomes(queue + "-dead", 1));
  CHECK(peer.take(queue + "-dead", 1)[0].body == numbered(1));
}

TEST_CASE(
    "rabbitmq source: what is not delivered is tried again max_retries times, then dead-lettered, never in a loop",
    "[live]") {
  const std::string type = GENERATE(as<std::string>(), "classic", "quorum");
  Peer peer;
  const std::string queue = fresh(type);
  Taker taker(classic_then_dlx(queue, "," + quoted("queue_type", type)));
  taker.node.start();
  peer.put(queue, numbered(1));
  for (std::size_t attempt = 0; attempt < 3; ++attempt) {
    REQUIRE(taker.take(attempt + 1));
    CHECK(taker.taken.back().text == numbered(1));
    taker.settle(attempt, SLUICE_NOT_DELIVERED);
  }
  CHECK(peer.becomes(queue + "-dead", 1));
  for (int i = 0; i < 20; ++i) taker.step(5);
  CHECK(taker.taken.size() == 3);
  CHECK(peer.depth(queue) == 0);
}

TEST_CASE("rabbitmq source: a queue that sheds and a halt use up no try", "[live]") {
  Peer peer;
  const std::string queue = fresh("queue");
  Taker taker(classic_then_dlx(queue));
  taker.node.start();
  peer.put(queue, numbered(1));
  for (std::size_t attempt = 0; attempt < 6; ++attempt) {
    REQUIRE(taker.take(attempt + 1));
    taker.settle(attempt, SLUICE_NOT_DELIVERED, attempt % 2 == 0 ? SLUICE_CODE_FULL : SLUICE_CODE_HALTED);
  }
  REQUIRE(taker.take(7));
  taker.settle(6, SLUICE_WAS_DELIVERED);
  taker.step();
  CHECK(peer.depth(queue + "-dead") == 0);
}

TEST_CASE("rabbitmq source: without a dead-letter exchange nothing is thrown away for being tried too often",
          "[live]") {
  Peer peer;
  const std::string queue = fresh("queue");
  Taker taker(config(quoted("queue", queue) + R"(,"retry_delay":1,"max_retries":1)"));
  taker.node.start();
  peer.put(queue, numbered(1));
  for (std::size_t attempt = 0; attempt < 5; ++attempt) {
    REQUIRE(taker.take(attempt + 1));
    taker.settle(attempt, SLUICE_NOT_DELIVERED);
  }
  REQUIRE(taker.take(6));
}

TEST_CASE("rabbitmq source: what a host gave up is shared out to another one by a quorum queue", "[live]") {
  Peer peer;
  const std::string queue = fresh("quorum");
  const std::string both = config(quoted("queue", queue) + R"(,"queue_type":"quorum","retry_delay":1)");
  Taker first(both);
  first.node.start();
  peer.put(queue, numbered(1));
  REQUIRE(first.take(1));
  Taker second(both);
  second.node.start();
  first.settle(0, SLUICE_NOT_DELIVERED);
  const auto again = [&] { return first.taken.size() + second.taken.size() == 2; };
  REQUIRE(repeat_until(again, [&] { first.step(5), second.step(5); }));
}

TEST_CASE("rabbitmq source: a message of 1 MiB, an empty one, and unicode", "[live]") {
  Peer peer;
  const std::string queue = fresh("queue");
  peer.queue(queue);
  const std::string big = "\"" + std::string(1024 * 1024, 'x') + "\"";
  for (const std::string& body : {big, std::string(), std::string("\"Grüße 🐇\"")}) peer.put(queue, body);
  Taker taker(config(quoted("queue", queue)));
  taker.node.start();
  REQUIRE(taker.take(3));
  CHECK((taker.taken[0].text == big));
  CHECK(taker.taken[1].text.empty());
  CHECK(taker.taken[2].text == "\"Grüße 🐇\"");
}

TEST_CASE("rabbitmq source: properties of a message that is no CloudEvent come with it", "[live]") {
  Peer peer;
  const std::string queue = fresh("queue");
  peer.queue(queue);
  rabbitmq::Outgoing properties;
  properties.content_type = "application/json";
  properties.message_id = "m-1";
  properties.correlation_id = "c-1";
  peer.put(queue, "{}", properties);
  Taker taker(config(quoted("queue", queue)));
  taker.node.start();
  REQUIRE(taker.take(1));
  CHECK(taker.taken[0].flags == 0);
  CHECK(taker.taken[0].header("correlationid") == "c-1");
  CHECK(taker.taken[0].header("id") == "m-1");
}

TEST_CASE("rabbitmq source: a queue of other settings is refused with its name and the cure, or taken as it is",
          "[live]") {
  Peer peer;
  const std::string queue = fresh("queue");
  peer.queue(queue);
  Taker other(config(quoted("queue", queue) + R"(,"durable":false)"));
  const std::string said = start_refused(other);
  CHECK(holds(said, "queue '" + queue + "'"));
  CHECK(holds(said, "PRECONDITION_FAILED"));
  CHECK(holds(said, "passive: true"));
  Taker as_it_is(config(quoted("queue", queue) + R"(,"durable":false,"passive":true)"));
  as_it_is.node.start();
  Taker missing(config(R"("queue":"nowhere","passive":true)"));
  CHECK(holds(start_refused(missing), "queue 'nowhere'"));
}

TEST_CASE("rabbitmq source: how many messages wait is a metric", "[live]") {
  Peer peer;
  const std::string queue = fresh("queue");
  peer.queue(queue);
  put(peer, queue, 30);
  Taker taker(config(quoted("queue", queue) + R"(,"prefetch_count":10)"));
  taker.node.start();
  const sluice_cell* waiting = taker.host.cell("source_lag_events");
  REQUIRE(waiting != nullptr);
  const sluice_cell* pending = taker.host.cell("source_pending_events");
  CHECK(repeat_until([&] { return waiting->value == 20 && pending->value == 10; }, [&] { taker.step(5); }));
}

TEST_CASE("rabbitmq source: a queue that is deleted under it is declared again", "[live]") {
  Peer peer;
  const std::string queue = fresh("queue");
  Taker taker(config(quoted("queue", queue)));
  taker.node.start();
  control("delete_queue " + queue);
  REQUIRE(repeat_until([&] { return taker.host.logged("connection lost"); }, [&] { taker.step(5); }));
  taker.step();
  peer.put(queue, numbered(1));
  REQUIRE(taker.take(1));
}
