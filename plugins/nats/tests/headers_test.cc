// Attributes as headers, and what headers say of a message.
#include "headers.hh"
#include "catch.hh"

#include "plugin_rig.hh"

using namespace nats;

namespace {

std::string value_of(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return "absent";
}

Headers written(const std::string& event) {
  const rig::Batch batch({event});
  Headers out;
  append_attributes(sluice::EventView(*SLUICE_EVENT(&batch, 0)), out);
  return out;
}

}  // namespace

TEST_CASE("nats: attributes become ce- headers in lower case, percent-encoded", "[nats]") {
  const Headers headers =
      written(R"({"specversion":"1.0","id":"a b","source":"/s","type":"t","time":"2026-01-01T00:00:00Z",)"
              R"("subject":"Euro €","dataschema":"http://x/y","num":7,"data":{}})");
  CHECK(value_of(headers, "ce-specversion") == "1.0");
  CHECK(value_of(headers, "ce-id") == "a%20b");
  CHECK(value_of(headers, "ce-subject") == "Euro%20%E2%82%AC");
  CHECK(value_of(headers, "ce-time") == "2026-01-01T00:00:00Z");
  CHECK(value_of(headers, "ce-dataschema") == "http://x/y");
  CHECK(value_of(headers, "ce-num") == "7");
  CHECK(value_of(headers, "ce-datacontenttype") == "application/json");
  const Headers bare = written(R"({"specversion":"1.0","id":"1","source":"/s","type":"t"})");
  CHECK(bare.size() == 4);
}

TEST_CASE("nats: the mode of a message is its content type's, then that of its headers", "[nats]") {
  Attributes attributes;
  CHECK(attributes.read({}) == 0);
  CHECK(attributes.read({{"Nats-Msg-Id", "x"}, {"content-type", "application/json"}}) == 0);
  CHECK(attributes.read({{"ce-id", "1"}, {"CONTENT-TYPE", "Application/CloudEvents+JSON"}}) == SLUICE_SINGLE);
  CHECK(attributes.all().empty());
  CHECK(attributes.read({{"content-type", "application/cloudevents-batch+json"}}) == SLUICE_BATCHED);
  CHECK(attributes.read({{"Ce-Id", "1"}, {"ce-SOURCE", "/s"}}) == SLUICE_ATTRIBUTES);
  REQUIRE(attributes.all().size() == 2);
  CHECK(sluice::view(attributes.all()[0].name) == "id");
  CHECK(sluice::view(attributes.all()[1].name) == "source");
}

TEST_CASE("nats: values are decoded, and taken as they are by those who do not encode", "[nats]") {
  Attributes attributes;
  CHECK(
      attributes.read({{"ce-a", "Euro%20%E2%82%AC"}, {"ce-b", "100% sure"}, {"ce-c", "\"quoted\""}, {"ce-d", "%FF"}}) ==
      SLUICE_ATTRIBUTES);
  const auto& all = attributes.all();
  REQUIRE(all.size() == 4);
  CHECK(sluice::view(all[0].value) == "Euro €");
  CHECK(sluice::view(all[1].value) == "100% sure");
  CHECK(sluice::view(all[2].value) == "quoted");
  CHECK(sluice::view(all[3].value) == "%FF");
}

TEST_CASE("nats: the data's type is ce-datacontenttype, or HTTP's header of those who write that", "[nats]") {
  Attributes attributes;
  (void)attributes.read({{"ce-id", "1"}, {"Content-Type", "text/xml"}});
  REQUIRE(attributes.all().size() == 2);
  CHECK(sluice::view(attributes.all()[1].name) == "datacontenttype");
  CHECK(sluice::view(attributes.all()[1].value) == "text/xml");
  (void)attributes.read({{"ce-datacontenttype", "text/plain"}, {"Content-Type", "text/xml"}});
  REQUIRE(attributes.all().size() == 1);
  CHECK(sluice::view(attributes.all()[0].value) == "text/plain");
}
