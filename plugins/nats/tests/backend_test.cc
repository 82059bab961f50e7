// The backend against a real server: what arrives, where, and what is said about what cannot.
#include "driver.hh"

using namespace nats_test;

TEST_CASE("nats: every event is in the stream as it was received, in order", "[nats][live]") {
  NatsServer server;
  Driver driver(config(server.url()));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 3000)));
  CHECK(driver.each_answered_once());
  CHECK(driver.host.completed(SLUICE_OK) == 3000);
  FarSide far(server.url());
  CHECK(far.length("NLP_EVENTS") == 3000);
  for (const std::uint64_t i : {0, 1, 2999}) {
    const auto stored = far.stored("NLP_EVENTS", i + 1);
    CHECK(stored["subject"] == "nlp.document.processed");
    CHECK(from_base64(stored["data"]) == event(i));
    CHECK(holds(from_base64(stored["hdrs"]), "Nats-Msg-Id: /test " + std::to_string(i) + "\r\n"));
  }
}

TEST_CASE("nats: an event that comes twice is in the stream once, and both times it is delivered", "[nats][live]") {
  NatsServer server;
  Driver driver(config(server.url()));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 10)));
  REQUIRE(driver.publish_all(events(5, 10)));
  CHECK(driver.host.completed(SLUICE_OK) == 20);
  CHECK(FarSide(server.url()).length("NLP_EVENTS") == 15);
  REQUIRE(driver.host.cell("nats_duplicates_total") != nullptr);
  CHECK(driver.host.cell("nats_duplicates_total")->count == 5);
}

TEST_CASE("nats: without message_id the server drops nothing", "[nats][live]") {
  NatsServer server;
  Driver driver(config(server.url(), R"("message_id":"")"));
  driver.node.start();
  REQUIRE(driver.publish_all({event(1), event(1)}));
  CHECK(FarSide(server.url()).length("NLP_EVENTS") == 2);
}

TEST_CASE("nats: core publish reaches who listens, and is delivered when the server has handled it", "[nats][live]") {
  NatsServer server("", false);
  FarSide far(server.url());
  far.connection().subscribe("nlp.>", "", 100000, 64 * 1024 * 1024, 5s);
  Driver driver(config(server.url(), R"("jetstream":false)"));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 3000)));
  CHECK(driver.each_answered_once());
  CHECK(driver.host.completed(SLUICE_OK) == 3000);
  nats::Message message;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    REQUIRE(far.until([&] { return far.connection().take(message); }));
    REQUIRE(message.body() == event(i));
  }
}

TEST_CASE("nats: no more than the window is under way", "[nats][live]") {
  NatsServer server;
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

TEST_CASE("nats: a window of one still moves", "[nats][live]") {
  NatsServer server;
  Driver driver(config(server.url(), R"("window":1)"));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 20)));
  CHECK(FarSide(server.url()).length("NLP_EVENTS") == 20);
}

TEST_CASE("nats: the subject is filled in per event, and no attribute can name another place", "[nats][live]") {
  NatsServer server;
  Driver driver(config(server.url(), R"("subject":"jobs.{type}.{subject:-none}")"));
  driver.node.start();
  const std::string front = R"({"specversion":"1.0","source":"/s","id":")";
  REQUIRE(driver.publish_all({front + R"(1","type":"a.b","subject":"x y"})", front + R"(2","type":">","subject":"*"})",
                              front + R"(3","type":"a..b"})", front + R"(4","type":"t"})"}));
  CHECK(driver.host.completed(SLUICE_OK) == 3);
  CHECK(driver.host.completed(SLUICE_REJECTED) == 1);
  FarSide far(server.url());
  CHECK(far.stored("NLP_EVENTS", 1)["subject"] == "jobs.a.b.x_y");
  CHECK(far.stored("NLP_EVENTS", 2)["subject"] == "jobs._._");
  CHECK(far.stored("NLP_EVENTS", 3)["subject"] == "jobs.t.none");
  CHECK(far.ask("$JS.API.STREAM.INFO.NLP_EVENTS")["config"]["subjects"] == nlohmann::json{"jobs.>"});
}

TEST_CASE("nats: binary mode puts the attributes into headers and the data into the payload", "[nats][live]") {
  NatsServer server;
  Driver driver(config(server.url(), R"("mode":"binary")"));
  driver.node.start();
  REQUIRE(driver.publish_all(
      {R"({"specversion":"1.0","id":"1","source":"/s","type":"t","subject":"Euro €","my":"x%y","data":{"a": 1}})"}));
  FarSide far(server.url());
  const auto stored = far.stored("NLP_EVENTS", 1);
  CHECK(from_base64(stored["data"]) == R"({"a":1})");
  const std::string headers = from_base64(stored["hdrs"]);
  for (const char* line :
       {"ce-specversion: 1.0\r\n", "ce-id: 1\r\n", "ce-source: /s\r\n", "ce-type: t\r\n",
        "ce-subject: Euro%20%E2%82%AC\r\n", "ce-my: x%25y\r\n", "ce-datacontenttype: application/json\r\n"}) {
    INFO(headers);
    CHECK(holds(headers, line));
  }
}

TEST_CASE("nats: a big event passes when the server takes it, and is rejected with the limit when not",
          "[nats][live]") {
  const std::string big =
      R"({"specversion":"1.0","id":"1","source":"s","type":"t","data":")" + std::string(1024 * 1024, 'x') + R"("})";
  {
    NatsServer server("max_payload: 8MB");
    Driver driver(config(server.url()));
    driver.node.start();
    REQUIRE(driver.publish_all({big}));
    CHECK(driver.host.completed(SLUICE_OK) == 1);
    CHECK(FarSide(server.url()).ask("$JS.API.STREAM.INFO.NLP_EVENTS")["state"]["bytes"] > big.size());
  }
  for (const char* more : {R"("jetstream":true)", R"("jetstream":false)"}) {
    NatsServer server;
    Driver driver(config(server.url(), more));
    driver.node.start();
    REQUIRE(driver.publish_all({event(0), big, event(2)}));
    CHECK(driver.each_answered_once());
    CHECK(driver.host.completed(SLUICE_OK) == 2);
    REQUIRE(driver.host.completed(SLUICE_REJECTED) == 1);
    CHECK(holds(driver.host.completions[0].reason + driver.host.completions[1].reason,
                "the server takes 1048576: raise max_payload"));
  }
}

TEST_CASE("nats: what the stream itself does not take is said in its words", "[nats][live]") {
  NatsServer server;
  FarSide far(server.url());
  far.make_stream("NLP_EVENTS", "nlp.>", R"(,"max_msg_size":200,"max_msgs":2,"discard":"new")");
  Driver driver(config(server.url()));
  driver.node.start();
  const std::string long_one =
      R"({"specversion":"1.0","id":"1","source":"s","type":"t","data":")" + std::string(1000, 'x') + R"("})";
  REQUIRE(driver.publish_all({long_one}));
  CHECK(driver.host.completed(SLUICE_REJECTED) == 1);
  CHECK(holds(driver.host.completions.back().reason, "max_msg_size"));
  REQUIRE(driver.publish_all(events(0, 3)));
  INFO(driver.complaints());
  CHECK(driver.host.completed(SLUICE_OK) == 2);
  CHECK(driver.host.completed(SLUICE_AWAY) == 1);
  CHECK(holds(driver.complaints(), "the stream is full"));
}

TEST_CASE("nats: a stream that is missing, or has other subjects, is named with the cure", "[nats][live]") {
  NatsServer server;
  Driver absent(config(server.url(), R"("stream":"NOT_THERE","stream_config":{"create":false})"));
  CHECK_THROWS_WITH(absent.node.start(), Catch::Contains("stream 'NOT_THERE' does not exist: make it"));
  CHECK(absent.node.status == SLUICE_AWAY);

  FarSide far(server.url());
  far.make_stream("OTHER", "other.>");
  Driver other(config(server.url(), R"("stream":"OTHER")"));
  CHECK_THROWS_WITH(other.node.start(), Catch::Contains("does not take subject 'nlp.document.processed'"));

  Driver nobody(config(server.url(), R"("stream":"")"));
  nobody.node.start();
  REQUIRE(nobody.publish_all(events(0, 2)));
  INFO(nobody.complaints());
  CHECK(nobody.host.completed(SLUICE_AWAY) == 2);
  CHECK(holds(nobody.host.completions.back().reason, "no stream takes subject 'nlp.document.processed'"));

  NatsServer plain("", false);
  Driver no_jetstream(config(plain.url()));
  CHECK_THROWS_WITH(no_jetstream.node.start(), Catch::Contains("JetStream is not enabled"));
}

TEST_CASE("nats: an event whose subject no stream takes is found among the others", "[nats][live]") {
  NatsServer server;
  FarSide far(server.url());
  far.make_stream("NLP_EVENTS", "nlp.good.>");
  Driver driver(config(server.url(), R"("subject":"nlp.{type}","window":64)"));
  driver.node.start();
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) {
    texts.push_back(R"({"specversion":"1.0","source":"/s","id":")" + std::to_string(i) + R"(","type":")" +
                    (i == 20 || i == 150 ? "bad" : "good.x") + R"("})");
  }
  REQUIRE(driver.publish_all(texts));
  CHECK(driver.each_answered_once());
  std::vector<std::string> again;  // as the host would offer them
  for (const rig::Completion& done : driver.host.completions) {
    if (done.status == SLUICE_TIMEOUT) again.push_back(texts[done.ticket]);
  }
  REQUIRE(!again.empty());
  REQUIRE(driver.publish_all(again));
  CHECK(far.length("NLP_EVENTS") == 198);
  CHECK(driver.host.completed(SLUICE_AGAIN) >= 1);
  CHECK(holds(driver.complaints(), "no stream takes subject 'nlp.bad'"));
}

TEST_CASE("nats: a stream that has the subject already is used, whatever its name", "[nats][live]") {
  NatsServer server;
  FarSide far(server.url());
  far.make_stream("THEIRS", "nlp.>");
  Driver driver(config(server.url()));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 10)));
  CHECK(driver.host.completed(SLUICE_OK) == 10);
  CHECK(far.length("THEIRS") == 10);
  CHECK(driver.host.logged("another stream has the subject already"));
}

TEST_CASE("nats: the stream is made as configured", "[nats][live]") {
  NatsServer server;
  Driver driver(config(server.url(), R"("stream":"S","stream_config":{"subjects":["nlp.>","x"],"storage":"memory",)"
                                     R"("max_age":3600000,"max_bytes":1000000,"max_messages":77,)"
                                     R"("duplicate_window":5000})"));
  driver.node.start();
  const auto made = FarSide(server.url()).ask("$JS.API.STREAM.INFO.S")["config"];
  CHECK(made["subjects"] == nlohmann::json{"nlp.>", "x"});
  CHECK(made["storage"] == "memory");
  CHECK(made["max_age"] == 3'600'000'000'000);
  CHECK(made["max_bytes"] == 1'000'000);
  CHECK(made["max_msgs"] == 77);
  CHECK(made["duplicate_window"] == 5'000'000'000);
}

TEST_CASE("nats: a hundred thousand events are in the stream in order", "[nats][live]") {
  NatsServer server;
  Driver driver(config(server.url()));
  driver.node.start();
  constexpr std::uint64_t kEvents = 100'000;
  REQUIRE(driver.publish_all(events(0, kEvents), 90s));
  CHECK(driver.host.completed(SLUICE_OK) == kEvents);
  FarSide far(server.url());
  CHECK(far.length("NLP_EVENTS") == kEvents);
  for (std::uint64_t i = 0; i < kEvents; i += 997) {
    REQUIRE(from_base64(far.stored("NLP_EVENTS", i + 1)["data"]) == event(i));
  }
}

TEST_CASE("nats: an empty batch is nothing, and every character passes", "[nats][live]") {
  NatsServer server;
  const std::string odd =
      "{ \"specversion\": \"1.0\",\n\t\"id\": \"\\u0041 \xF0\x9F\x98\x80\", \"source\": \"/ä\", "
      "\"type\": \"t\", \"data\": \"\\u0000\\r\\n\" }";
  for (const char* more : {R"("jetstream":true)", R"("content_type_header":true)"}) {
    Driver driver(config(server.url(), more));
    driver.node.start();
    CHECK(driver.offer({}) == 0);
    CHECK(driver.node.status == SLUICE_OK);
    REQUIRE(driver.publish_all({odd}));
    CHECK(driver.host.completed(SLUICE_OK) == 1);
  }
  FarSide far(server.url());
  CHECK(from_base64(far.stored("NLP_EVENTS", 1)["data"]) == odd);
}

TEST_CASE("nats: a server out of storage is away, and the events go on when there is room again", "[nats][live]") {
  NatsServer server("jetstream { store_dir: \"FOLDER/js\", max_file_store: 1MB }", false);
  Driver driver(config(server.url()));
  driver.node.start();
  const std::string data(100'000, 'x');
  std::vector<std::string> texts;
  for (int i = 0; i < 15; ++i) {
    texts.push_back(R"({"specversion":"1.0","id":")" + std::to_string(i) + R"(","source":"s","type":"t","data":")" +
                    data + R"("})");
  }
  REQUIRE(driver.publish_all(texts));
  INFO(driver.complaints());
  CHECK(driver.host.completed(SLUICE_OK) > 5);
  CHECK(driver.host.completed(SLUICE_AWAY) > 0);
  CHECK(driver.host.completed(SLUICE_OK) + driver.host.completed(SLUICE_AWAY) == 15);
  CHECK(holds(driver.complaints(), "out of memory or storage for JetStream"));
  FarSide far(server.url());
  far.ask("$JS.API.STREAM.PURGE.NLP_EVENTS");
  const std::size_t before = driver.host.completed(SLUICE_OK);
  REQUIRE(driver.publish_all({texts.back()}));
  CHECK(driver.host.completed(SLUICE_OK) == before + 1);
}

TEST_CASE("nats: stop completes what is left", "[nats][live]") {
  NatsServer server;
  Driver driver(config(server.url()));
  driver.node.start();
  REQUIRE(driver.offer(events(0, 5)) == 5);
  CHECK(driver.node.stop() == SLUICE_OK);
  CHECK(driver.host.completed(SLUICE_CANCELLED) == 5);
  CHECK(driver.each_answered_once());
}
