// The backend against a real server: what arrives, how, and what is said of what does not.
#include "server.hh"

using namespace rabbit_test;

namespace {

/// An exchange with one queue that takes everything.
struct Topic {
  explicit Topic(const std::string& pattern = "#") { peer.queue(queue, exchange, pattern); }
  [[nodiscard]] std::string to(const std::string& more = "") const {
    return config(quoted("exchange", exchange) + (more.empty() ? "" : "," + more));
  }
  Peer peer;
  std::string exchange = fresh("exchange"), queue = fresh("queue");
};

}  // namespace

TEST_CASE("rabbitmq backend: every event arrives as it was received, in order, under its type as routing key",
          "[live]") {
  Topic topic;
  Publisher publisher(topic.to());
  publisher.node.start();
  REQUIRE(publisher.publish_all(events(0, 3000)));
  CHECK(publisher.each_answered_once());
  CHECK(publisher.host.completed(SLUICE_OK) == 3000);
  const auto got = topic.peer.take(topic.queue, 3000);
  for (std::uint64_t i = 0; i < 3000; ++i) {
    REQUIRE(got[i].body == event(i));
    REQUIRE(got[i].routing_key == "speaker.onboarded");
  }
  CHECK(got[0].content_type == "application/cloudevents+json");
  CHECK(got[0].message_id == "0");
}

TEST_CASE("rabbitmq backend: one event alone travels at once", "[live]") {
  Topic topic;
  Publisher publisher(topic.to());
  publisher.node.start();
  REQUIRE(publisher.offer({event(7)}) == 1);
  REQUIRE(publisher.poll_until([&] { return publisher.answered() == 1; }));
  CHECK(topic.peer.take(topic.queue, 1)[0].body == event(7));
}

TEST_CASE("rabbitmq backend: binary mode carries every attribute in a header, and the data alone in the body",
          "[live]") {
  Topic topic;
  Publisher publisher(topic.to(R"("mode":"binary")"));
  publisher.node.start();
  REQUIRE(publisher.publish_all({event(1, "speaker.updated", R"(,"subject":"Zoë %20 \"x\"","correlationid":"c-1")")}));
  const auto got = topic.peer.take(topic.queue, 1);
  CHECK(got[0].body == R"({"speaker_id":"s-1"})");
  CHECK(got[0].content_type == "application/json");
  CHECK(got[0].correlation_id == "c-1");
  std::map<std::string, std::string> headers;
  for (std::size_t i = 0; i < got[0].field_count; ++i) headers[got[0].fields[i].name] = got[0].fields[i].value;
  CHECK(headers == std::map<std::string, std::string>{{"ce-specversion", "1.0"},
                                                      {"ce-id", "1"},
                                                      {"ce-source", "/test"},
                                                      {"ce-type", "speaker.updated"},
                                                      {"ce-subject", "Zoë %20 \"x\""},
                                                      {"ce-correlationid", "c-1"}});
}

TEST_CASE("rabbitmq backend: an event of 1 MiB, and one without data", "[live]") {
  Topic topic;
  Publisher publisher(topic.to());
  publisher.node.start();
  const std::string big =
      R"({"specversion":"1.0","id":"1","source":"s","type":"t","data":")" + std::string(1024 * 1024, 'x') + R"("})";
  const std::string none = R"({"specversion":"1.0","id":"2","source":"s","type":"t"})";
  REQUIRE(publisher.publish_all({big, none}));
  const auto got = topic.peer.take(topic.queue, 2);
  CHECK((got[0].body == big));
  CHECK(got[1].body == none);
}

TEST_CASE("rabbitmq backend: no more than the window is unconfirmed, and a window of one still moves", "[live]") {
  Topic topic;
  Publisher ten(topic.to(R"("window":10)"));
  ten.node.start();
  CHECK(ten.offer(events(0, 100)) == 10);
  CHECK(ten.offer(events(10, 100)) == 0);
  CHECK(ten.node.status == SLUICE_OK);
  REQUIRE(ten.poll_until([&] { return ten.answered() == 10; }));
  Publisher one(topic.to(R"("window":1)"));
  one.node.start();
  REQUIRE(one.publish_all(events(10, 20)));
  CHECK(topic.peer.becomes(topic.queue, 30));
}

TEST_CASE("rabbitmq backend: an event that no queue takes is rejected with what the server says, its neighbours arrive",
          "[live]") {
  Topic topic("speaker.*");
  Publisher publisher(topic.to());
  publisher.node.start();
  std::vector<std::string> mixed;
  for (std::uint64_t i = 0; i < 100; ++i) mixed.push_back(event(i, i % 10 == 3 ? "draft.ingested" : "speaker.updated"));
  REQUIRE(publisher.publish_all(mixed));
  CHECK(publisher.each_answered_once());
  CHECK(publisher.host.completed(SLUICE_OK) == 90);
  CHECK(publisher.host.completed(SLUICE_REJECTED) == 10);
  for (const rig::Completion& done : publisher.host.completions) {
    CHECK((done.status == SLUICE_REJECTED) == (done.ticket % 10 == 3));
    if (done.status != SLUICE_REJECTED) continue;
    CHECK(done.code == 312);
    CHECK(holds(done.reason, "NO_ROUTE"));
    CHECK(holds(done.reason, "'draft.ingested'"));
  }
  Publisher careless(topic.to(R"("mandatory":false)"));
  careless.node.start();
  REQUIRE(careless.publish_all({event(1, "draft.ingested")}));
  CHECK(careless.host.completed(SLUICE_OK) == 1);
}

TEST_CASE("rabbitmq backend: straight into a queue by the default exchange", "[live]") {
  Peer peer;
  const std::string queue = fresh("queue");
  peer.queue(queue);
  Publisher publisher(config(R"("exchange":"","routing_key":")" + queue + "\""));
  publisher.node.start();
  REQUIRE(publisher.publish_all(events(0, 5)));
  CHECK(peer.take(queue, 5).size() == 5);
}

TEST_CASE("rabbitmq backend: a queue that refuses what is too much for it uses up attempts", "[live]") {
  Peer peer;
  const std::string queue = fresh("queue"), exchange = fresh("exchange");
  peer.queue(queue, exchange, "#", {{"x-max-length", "3"}, {"x-overflow", "reject-publish"}});
  Publisher publisher(config(quoted("exchange", exchange)));
  publisher.node.start();
  REQUIRE(publisher.publish_all(events(0, 50)));
  CHECK(publisher.each_answered_once());
  CHECK(publisher.host.completed(SLUICE_AGAIN) > 0);
  CHECK(publisher.host.completed(SLUICE_AGAIN) + publisher.host.completed(SLUICE_OK) == 50);
}

TEST_CASE("rabbitmq backend: a missing exchange, one of other settings, and a virtual host that is not there",
          "[live]") {
  Publisher missing(config(R"("exchange":"nowhere","passive":true)"));
  const std::string said = start_refused(missing);
  CHECK(holds(said, "exchange 'nowhere'"));
  CHECK(holds(said, "NOT_FOUND"));
  CHECK(holds(said, "leave passive: true out"));
  Topic topic;
  Publisher other(topic.to(R"("exchange_type":"fanout")"));
  CHECK(holds(start_refused(other), "PRECONDITION_FAILED"));
  Publisher as_it_is(topic.to(R"("exchange_type":"fanout","passive":true)"));
  as_it_is.node.start();
  Publisher elsewhere(config(R"("exchange":"e")", server_url() + "no-such-vhost"));
  CHECK(holds(start_refused(elsewhere), "no-such-vhost"));
}

TEST_CASE("rabbitmq backend: an exchange that is deleted under it is away, and declared again on the way back",
          "[live]") {
  Topic topic;
  Publisher publisher(topic.to(R"("mandatory":false)"));
  publisher.node.start();
  REQUIRE(publisher.publish_all(events(0, 3)));
  control("eval rabbit_exchange:delete(rabbit_misc:r(<<\"/\">>,exchange,<<\"" + topic.exchange +
          "\">>),false,<<\"t\">>).");
  REQUIRE(publisher.publish_all(events(3, 3)));
  CHECK(publisher.host.completed(SLUICE_TIMEOUT) == 3);
  CHECK(publisher.host.logged("NOT_FOUND"));
  REQUIRE(publisher.publish_all(events(3, 3)));
  CHECK(publisher.host.completed(SLUICE_OK) == 6);
}

TEST_CASE("rabbitmq backend: a wrong password is away and stays secret; nobody there is away", "[live]") {
  std::string url = server_url();
  url.replace(url.find("only-for-tests"), 14, "hunter2");
  Publisher wrong(config(R"("exchange":"e")", url));
  const std::string said = start_refused(wrong);
  CHECK(holds(said, "ACCESS_REFUSED"));
  CHECK_FALSE(holds(said, "hunter2"));
  Publisher nobody(config(R"("exchange":"e","timeout":2000)", "amqp://guest:guest@127.0.0.1:1/"));
  CHECK(holds(start_refused(nobody), "amqp://127.0.0.1:1/"));
  CHECK(nobody.offer(events(0, 3)) == 0);
  CHECK(nobody.node.status == SLUICE_AWAY);
  CHECK(nobody.node.probe() == SLUICE_AWAY);
  nobody.poll(1);
  CHECK(nobody.answered() == 0);
}

TEST_CASE("rabbitmq backend: probe looks without disturbing, stop completes what is left", "[live]") {
  Topic topic;
  Publisher publisher(topic.to());
  CHECK(publisher.node.probe() == SLUICE_OK);
  publisher.node.start();
  REQUIRE(publisher.offer(events(0, 5)) == 5);
  CHECK(publisher.node.stop() == SLUICE_OK);
  CHECK(publisher.host.completed(SLUICE_CANCELLED) == 5);
  CHECK(publisher.each_answered_once());
}
