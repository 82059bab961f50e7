// Against a broker: what arrives, where, and what is refused.
#include "driver.hh"

using namespace kafka_test;

TEST_CASE("kafka: every event arrives as it was received, in order, with its subject as key", "[kafka][live]") {
  const std::string topic = Broker::get().topic();
  BackendDriver driver(config(topic));
  driver.node.start();
  std::vector<std::string> sent = events(0, 5000, R"("subject":"doc-ü")");
  sent.push_back(R"({"specversion":"1.0","id":"u","source":"s","type":"t","data":"Grüße, 世界 \u00e9 🎉"})");
  REQUIRE(driver.publish_all(sent));
  CHECK(driver.host.completed(SLUICE_OK) == sent.size());
  CHECK(driver.each_answered_once());
  const std::vector<Message> got = Broker::get().read(topic);
  REQUIRE(got.size() == sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) REQUIRE(got[i].value == sent[i]);
  CHECK(got.front().key == "doc-ü");
  CHECK(got.back().key.empty());
  CHECK(got.front().headers == Headers{{"content-type", "application/cloudevents+json; charset=UTF-8"}});
}

TEST_CASE("kafka: in binary mode attributes are headers and the value is the data", "[kafka][live]") {
  const std::string topic = Broker::get().topic();
  BackendDriver driver(config(topic, R"("content_mode":"binary","key":"partitionkey")"));
  driver.node.start();
  REQUIRE(driver.publish_all(
      {event(7,
             R"("subject":"a%20\"b\"","datacontenttype":"application/json","partitionkey":"k1","traceparent":"00-1")"),
       R"({"specversion":"1.0","id":"8","source":"test","type":"t","subject":"s"})"}));
  const std::vector<Message> got = Broker::get().read(topic);
  REQUIRE(got.size() == 2);
  CHECK(got[0].value == R"({"document_id":"doc-7"})");
  CHECK(got[0].key == "k1");
  const Headers wanted{{"ce_specversion", "1.0"},   {"ce_id", "7"},
                       {"ce_source", "test"},       {"ce_type", "com.example.test"},
                       {"ce_subject", "a%20\"b\""}, {"ce_partitionkey", "k1"},
                       {"ce_traceparent", "00-1"},  {"content-type", "application/json"}};
  CHECK(got[0].headers == wanted);
  CHECK_FALSE(got[1].value.has_value());
  CHECK(got[1].key == "s");
  CHECK(driver.host.logged("compacted topic"));
}

TEST_CASE("kafka: every compression is read back", "[kafka][live]") {
  for (const char* codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    CAPTURE(codec);
    const std::string topic = Broker::get().topic();
    BackendDriver driver(config(topic, R"("compression_type":")" + std::string(codec) + R"(")"));
    driver.node.start();
    REQUIRE(driver.publish_all(events(0, 500)));
    CHECK(driver.host.completed(SLUICE_OK) == 500);
    CHECK(Broker::get().read(topic).size() == 500);
  }
}

TEST_CASE("kafka: acks 0, 1 and all each complete every event", "[kafka][live]") {
  for (const char* acks : {"0", "1", "\"all\"", "-1"}) {
    CAPTURE(acks);
    const std::string topic = Broker::get().topic();
    BackendDriver driver(config(topic, R"("acks":)" + std::string(acks)));
    driver.node.start();
    REQUIRE(driver.publish_all(events(0, 300)));
    CHECK(driver.host.completed(SLUICE_OK) == 300);
  }
}

TEST_CASE("kafka: the topic follows the event, and an event that names none is refused", "[kafka][live]") {
  const std::string name = Broker::get().topic();
  Broker::get().make_topic(name + "-a");
  Broker::get().make_topic(name + "-b");
  BackendDriver driver(config(name + "-{tenant}"));
  driver.node.start();
  REQUIRE(driver.publish_all(
      {event(1, R"("tenant":"a")"), event(2, R"("tenant":"b")"), event(3), event(4, R"("tenant":"a")")}));
  CHECK(Broker::get().read(name + "-a").size() == 2);
  CHECK(Broker::get().read(name + "-b").size() == 1);
  REQUIRE(driver.host.completed(SLUICE_REJECTED) == 1);
  for (const rig::Completion& done : driver.host.completions) {
    if (done.status == SLUICE_REJECTED) CHECK(done.reason.find("the event has no tenant") == 0);
  }
}

TEST_CASE("kafka: no more than the window is under way", "[kafka][live]") {
  const std::string topic = Broker::get().topic();
  BackendDriver driver(config(topic, R"("window":10,"linger":1000)"));
  driver.node.start();
  CHECK(driver.offer(events(0, 100)) == 10);
  CHECK(driver.offer(events(10, 100)) == 0);
  CHECK(driver.node.status == SLUICE_OK);
  REQUIRE(driver.poll_until([&] { return driver.answered() == 10; }));
  CHECK(driver.offer(events(10, 3)) == 3);
  REQUIRE(driver.poll_until([&] { return driver.answered() == 13; }));
  CHECK(driver.each_answered_once());
}

TEST_CASE("kafka: an event of 1 MiB passes; a larger one is refused with the limit named", "[kafka][live]") {
  const std::string topic = Broker::get().topic(1, {{"max.message.bytes", "2000000"}});
  BackendDriver driver(config(topic));
  driver.node.start();
  const std::string head = R"({"specversion":"1.0","id":"1","source":"s","type":"t","data":")";
  const std::string whole = head + std::string(1024 * 1024 - head.size() - 2, 'x') + R"("})";
  REQUIRE(whole.size() == 1024 * 1024);
  REQUIRE(driver.publish_all({whole, head + std::string(1200 * 1024, 'x') + R"("})"}));
  CHECK(driver.host.completed(SLUICE_OK) == 1);
  REQUIRE(driver.host.completed(SLUICE_REJECTED) == 1);
  CHECK(driver.host.completions.front().reason.find("max_message_bytes is 1114112") != std::string::npos);
  CHECK(Broker::get().read(topic).front().value == whole);
}

TEST_CASE("kafka: what is too large for the topic is refused with the topic's limit named", "[kafka][live]") {
  if (skipped_without_a_broker("limits of a topic")) return;
  const std::string topic = Broker::get().topic(1, {{"max.message.bytes", "1000"}});
  BackendDriver driver(config(topic));
  driver.node.start();
  REQUIRE(driver.publish_all({event(1, R"("x":")" + std::string(5000, 'x') + R"(")")}));
  REQUIRE(driver.host.completed(SLUICE_REJECTED) == 1);
  CHECK(driver.last_reason().find("the topic's max.message.bytes") != std::string::npos);
}

TEST_CASE("kafka: a topic that is missing is named with the cure, and used once it is there", "[kafka][live]") {
  if (skipped_without_a_broker("a topic that is not made by using it")) return;
  const std::string topic = Broker::get().topic() + "-later";
  BackendDriver driver(config(topic));
  const std::string why = start_error(driver.node);
  CHECK(has(why, "topic " + topic + " does not exist"));
  CHECK(has(why, "kafka-topics.sh --create"));
  CHECK(driver.node.status == SLUICE_AWAY);
  CHECK(driver.node.probe() == SLUICE_AWAY);
  CHECK(driver.offer(events(0, 1)) == 0);
  CHECK(driver.node.status == SLUICE_AWAY);
  Broker::get().make_topic(topic);
  REQUIRE(until([&] { return driver.offer(events(0, 1)) == 1; }, [&] { driver.poll(); }));
  REQUIRE(driver.poll_until([&] { return driver.answered() == 1; }));
  CHECK(driver.host.completed(SLUICE_OK) == 1);
}

TEST_CASE("kafka: an event whose own topic is missing is tried again, with the cure as its reason", "[kafka][live]") {
  if (skipped_without_a_broker("a topic that is not made by using it")) return;
  const std::string topic = Broker::get().topic();
  BackendDriver driver(config(topic + "{tenant:-}", R"("properties":{"topic.metadata.propagation.max.ms":200})"));
  driver.node.start();
  REQUIRE(driver.publish_all({event(1), event(2, R"("tenant":"-none")")}));
  CHECK(driver.host.completed(SLUICE_OK) == 1);
  REQUIRE(driver.host.completed(SLUICE_AGAIN) == 1);
  CHECK(driver.last_reason().find("topic " + topic + "-none does not exist") == 0);
}

TEST_CASE("kafka: stop completes what is left, in order, as never tried or perhaps delivered", "[kafka][live]") {
  const std::string topic = Broker::get().topic();
  BackendDriver driver(config(topic, R"("linger":5000)"));
  driver.node.start();
  REQUIRE(driver.offer(events(0, 5)) == 5);
  CHECK(driver.node.stop() == SLUICE_OK);
  CHECK(driver.host.completed(SLUICE_CANCELLED) + driver.host.completed(SLUICE_TIMEOUT) == 5);
  CHECK(driver.each_answered_once());
  CHECK(driver.node.stop() == SLUICE_OK);
}

TEST_CASE("kafka: with nobody there the backend is away, says why, and charges no event", "[kafka][live]") {
  BackendDriver driver(config("nlp", R"("timeout":300)", "127.0.0.1:1"));
  const std::string why = start_error(driver.node);
  CHECK(has(why, "127.0.0.1:1"));
  CHECK(has(why, "refused"));
  CHECK(driver.node.status == SLUICE_AWAY);
  CHECK(driver.offer(events(0, 3)) == 0);
  CHECK(driver.node.status == SLUICE_AWAY);
  CHECK(driver.node.probe() == SLUICE_AWAY);
  CHECK(driver.answered() == 0);
}
