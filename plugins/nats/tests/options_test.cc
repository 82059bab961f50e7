// What the configuration may say, and the books that the source keeps.
#include "options.hh"
#include "catch.hh"
#include "fetches.hh"

#include "plugin_rig.hh"

#include <sluice/cpp/guard.hh>

using namespace nats;

extern "C" const char schema_backend_json[];
extern "C" const char schema_source_json[];

namespace {

BackendOptions backend(const std::string& json) {
  return read_backend(sluice::ConfigView(rig::Config(json, schema_backend_json)));
}
SourceOptions source(const std::string& json) {
  return read_source(sluice::ConfigView(rig::Config(json, schema_source_json)));
}
void refused(const std::string& json, const char* part) {
  INFO(json);
  CHECK_THROWS_WITH(backend(json), Catch::Contains(part));
}

}  // namespace

TEST_CASE("nats: the documents' configuration is taken as it stands", "[nats]") {
  const BackendOptions made = backend(
      R"({"servers":["nats://nats:4222"],"subject":"nlp.document.processed","jetstream":true,"stream":"NLP_EVENTS",)"
      R"("durable_name":"nlp-processor"})");
  CHECK(made.address.servers == std::vector<std::string>{"nats://nats:4222"});
  CHECK(made.jetstream);
  CHECK(made.stream.name == "NLP_EVENTS");
  CHECK(made.stream.subjects == std::vector<std::string>{"nlp.document.processed"});
  CHECK(made.stream.must_take == "nlp.document.processed");
  CHECK(made.window == 1024);
  CHECK(made.timeout == std::chrono::seconds(5));
}

TEST_CASE("nats: a single server may be a text, and tls:// asks for TLS", "[nats]") {
  CHECK(backend(R"({"servers":"nats://a:1"})").address.servers.size() == 1);
  const Address tls = backend(R"({"servers":["tls://u:p@a:1","b:2"]})").address;
  CHECK(tls.tls);
  CHECK(tls.servers == std::vector<std::string>{"nats://u:p@a:1", "b:2"});
  CHECK(tls.shown() == "nats://a:1, nats://b:2");
  CHECK(backend(R"({"tls":{"ca_file":"x"}})").address.tls);
  CHECK(!backend("{}").address.tls);
}

TEST_CASE("nats: what cannot work is refused with the key and the cure", "[nats]") {
  refused(R"({"servers":["http://a"]})", "servers: 'http' is not known");
  refused(R"({"subject":"a b"})", "subject: 'a b' cannot be published to");
  refused(R"({"subject":"a.*"})", "no wildcards");
  refused(R"({"subject":"a.{TYPE}"})", "subject:");
  refused(R"({"stream":"a.b"})", "stream: 'a.b' may not hold");
  refused(R"({"user":"u","token":"t"})", "one of them is enough");
  refused(R"({"password":"p"})", "password: it needs a user");
  refused(R"({"tls":{"cert_file":"x"}})", "cert_file and key_file belong together");
  refused(R"({"inbox_prefix":"a.>"})", "inbox_prefix");
  refused(R"({"stream_config":{"subjects":["a..b"]}})", "stream_config.subjects: 'a..b'");
  CHECK_THROWS_WITH(source(R"({"durable_name":"a b"})"), Catch::Contains("durable_name: 'a b' may not hold"));
  CHECK_THROWS_WITH(source(R"({"subject":"a..b"})"), Catch::Contains("subject: 'a..b'"));
}

TEST_CASE("nats: a duplicate window is never longer than messages live", "[nats]") {
  CHECK(backend(R"({"stream_config":{"max_age":1000}})").stream.duplicate_window == std::chrono::seconds(1));
  CHECK(backend("{}").stream.duplicate_window == std::chrono::minutes(2));
  CHECK(source(R"({"max_deliver":0})").consumer.max_deliver == -1);
}

TEST_CASE("nats: requests for messages are counted down in their order, and end by their number", "[nats]") {
  Fetches fetches;
  const auto first = fetches.add(2, 100), second = fetches.add(3, 200);
  CHECK(fetches.outstanding() == 5);
  fetches.message_came();
  fetches.message_came();
  fetches.message_came();
  CHECK(fetches.outstanding() == 2);
  CHECK(!fetches.ended(first));   // it is through
  CHECK(!fetches.ended(second));  // it got one
  CHECK(fetches.outstanding() == 0);
  const auto third = fetches.add(4, 300);
  CHECK(fetches.ended(third));  // nothing came
  fetches.add(4, 400);
  fetches.expire(399);
  CHECK(fetches.outstanding() == 4);
  fetches.expire(400);
  CHECK(fetches.outstanding() == 0);
  fetches.message_came();  // of a connection that is gone
  CHECK(fetches.outstanding() == 0);
}
