// Events written again: with other attributes, without redacted fields, in other envelopes.
#include "core/event_json.hh"

#include "catch.hh"
#include "core/redact.hh"
#include "decoding.hh"

#include <sluice/cpp/envelope.hh>

using namespace sluice;
using nlohmann::json;

namespace {

std::string with_data(std::string_view data, std::string_view more = "") {
  return R"({"specversion":"1.0","id":"1","source":"/s","type":"t",)" + std::string(more) +
         "\"data\":" + std::string(data) + "}";
}

/// The data without the fields; the data as it was when there is nothing to remove.
std::string redacted(std::string_view data, const std::vector<std::string>& pointers) {
  Decoding decoding;
  REQUIRE(decoding.code(with_data(data)) == "");
  Redactor redactor(pointers);
  sluice_event out{};
  if (!redactor.apply(decoding.last().raw(), decoding.block(), out)) return std::string(data);
  const EventView event(out);
  Decoding again;
  REQUIRE(again.code(event.json()) == "");
  CHECK(again.last().data() == event.data());
  CHECK(attributes_of(event) == attributes_of(decoding.last()));
  return std::string(event.data());
}

std::string written(std::string_view text, Envelope envelope, EventFormat format = cloudevents_format()) {
  Decoding decoding(std::move(format));
  REQUIRE(decoding.code(text) == "");
  std::string out;
  append_event(decoding.last(), envelope, out);
  return out;
}

}  // namespace

TEST_CASE("event writer: extensions are added and replaced, everything else stays") {
  Decoding decoding;
  const std::string data = "{ \"n\": 1.0, \"n\": 12345678901234567890 }";
  REQUIRE(decoding.code(with_data(data, R"("subject":"a\"b","kept":5,"old":"x","time":"2026-03-01t08:09:10z",)")) ==
          "");
  sluice_event& before = decoding.block().events.back();
  before.seq = 9;
  before.flags |= 7u << 16;
  const std::vector<sluice_attribute> added = {
      {.name = str("old"), .value = str("new\xC3\xA4"), .type = SLUICE_STRING, .reserved = 0},
      {.name = str("sluiceerrorreason"), .value = str("said \"no\""), .type = SLUICE_STRING, .reserved = 0}};
  EventWriter writer;
  const sluice_event after = writer.with_extensions(before, added, decoding.block());
  json expected = attributes_of(EventView(before));
  expected["old"] = "new\xC3\xA4";
  expected["sluiceerrorreason"] = "said \"no\"";
  CHECK(attributes_of(EventView(after)) == expected);
  CHECK(EventView(after).data() == data);
  CHECK(after.seq == 9);
  CHECK(after.flags >> 16 == 7);
  CHECK(after.time_s == before.time_s);
  Decoding again;
  REQUIRE(again.code(EventView(after).json()) == "");
  CHECK(attributes_of(again.last()) == expected);
  CHECK(again.last().data() == data);
}

TEST_CASE("redaction: removes the named fields and leaves the rest of the text alone") {
  CHECK(redacted(R"({"a":1, "text":"x", "b":2})", {"/text"}) == R"({"a":1, "b":2})");
  CHECK(redacted(R"({"text":"x", "b":2})", {"/text"}) == R"({"b":2})");
  CHECK(redacted(R"({"b":2,"text":"x"})", {"/text"}) == R"({"b":2})");
  CHECK(redacted(R"({"text":"x"})", {"/text"}) == "{}");
  CHECK(redacted(R"({"text":1,"content":2,"c":3})", {"/text", "/content"}) == R"({"c":3})");
  CHECK(redacted(R"({"a":{"text":{"deep":[1]}, "n" : 1.0},"text":"stays"})", {"/a/text"}) ==
        R"({"a":{"n" : 1.0},"text":"stays"})");
  CHECK(redacted(R"({"items":[{"text":1},{"text":2,"k":3},4]})", {"/items/1/text"}) ==
        R"({"items":[{"text":1},{"k":3},4]})");
  CHECK(redacted("[1,2,3]", {"/0", "/2"}) == "[2]");
  CHECK(redacted(R"({"a/b":1,"m~n":2,"k":3})", {"/a~1b", "/m~0n"}) == R"({"k":3})");
  CHECK(redacted(R"({"":1,"k":3})", {"/"}) == R"({"k":3})");
}

TEST_CASE("redaction: leaves an event alone that holds none of the fields") {
  for (const char* data :
       {R"({"a":1})", R"({"texts":"text"})", R"("text")", "7", "[]", R"({"a":{"text":1}})", "null"}) {
    Decoding decoding;
    REQUIRE(decoding.code(with_data(data)) == "");
    Redactor redactor({"/text"});
    sluice_event out{};
    CHECK(!redactor.apply(decoding.last().raw(), decoding.block(), out));
  }
}

TEST_CASE("redaction: no spelling of the name lets the value through") {
  const std::string data =
      GENERATE(as<std::string>(), R"({"text":"CANARY"})", R"({"te\u0078t":"CANARY"})",
               R"({"\u0074\u0065\u0078\u0074":"CANARY"})", R"({"text":1,"text":"CANARY","text":["CANARY"]})",
               R"({"a":"\"","text" :"CANARY","b":[]})", R"({"text":{"text":"CANARY"},"te\u0078t":"CANARY"})",
               R"({"text":"\u0043ANARY CANARY"})");
  Decoding decoding;
  REQUIRE(decoding.code(with_data(data)) == "");
  Redactor redactor({"/text"});
  sluice_event out{};
  REQUIRE(redactor.apply(decoding.last().raw(), decoding.block(), out));
  const EventView event(out);
  const std::string everything(event.raw().text, event.json().size() + event.data().size());
  CHECK(everything.find("ANARY") == std::string::npos);
  CHECK(event.json().find("ANARY") == std::string_view::npos);
}

TEST_CASE("redaction: reaches JSON that came as bytes, and removes what claims to be JSON and is not") {
  Decoding decoding;
  // {"text":"CANARY","k":1} in base64
  REQUIRE(
      decoding.code(R"({"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"application/json",)"
                    R"("data_base64":"eyJ0ZXh0IjoiQ0FOQVJZIiwiayI6MX0="})") == "");
  Redactor redactor({"/text"});
  sluice_event out{};
  REQUIRE(redactor.apply(decoding.last().raw(), decoding.block(), out));
  CHECK(EventView(out).data() == R"({"k":1})");
  CHECK(EventView(out).json().find("Q0FOQVJZ") == std::string_view::npos);
  // {"text":"CANARY" in base64
  REQUIRE(
      decoding.code(R"({"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"application/json",)"
                    R"("data_base64":"eyJ0ZXh0IjoiQ0FOQVJZIg=="})") == "");
  REQUIRE(redactor.apply(decoding.last().raw(), decoding.block(), out));
  CHECK(!EventView(out).has_data());
}

TEST_CASE("redaction: the empty pointer removes all data") {
  Decoding decoding;
  REQUIRE(decoding.code(with_data("[1]")) == "");
  Redactor redactor({""});
  sluice_event out{};
  REQUIRE(redactor.apply(decoding.last().raw(), decoding.block(), out));
  CHECK(!EventView(out).has_data());
}

TEST_CASE("redaction: only JSON pointers are pointers") {
  CHECK(Redactor::is_pointer("/a~0b/0"));
  CHECK(!Redactor::is_pointer("text"));
  CHECK(!Redactor::is_pointer("/a~2"));
  CHECK(!Redactor::is_pointer("/a~"));
}

TEST_CASE("envelopes: a bus_event is written as it was read") {
  const std::string text = R"({"event_type":"a\"b","timestamp":"2025-10-10T12:00:00.000Z","data":{ "n":1.0 }})";
  CHECK(written(text, Envelope::bus_event, bus_event_format("/x")) == text);
  CHECK(written(R"({"event_type":"t"})", Envelope::bus_event, bus_event_format("/x")) == R"({"event_type":"t"})");
}

TEST_CASE("envelopes: a domain event is written in either case with what had no place") {
  const std::string snake =
      R"({"event_id":"e","event_type":"speaker.onboarded","aggregate_id":"1","timestamp":"2024-01-15T10:30:00Z",)"
      R"("aggregate_type":"Speaker","version":1,"correlation_id":"c","payload":{"a":1}})";
  const std::string camel =
      R"({"eventId":"e","eventType":"speaker.onboarded","aggregateId":"1","timestamp":"2024-01-15T10:30:00Z",)"
      R"("aggregateType":"Speaker","version":1,"correlationId":"c","payload":{"a":1}})";
  CHECK(json::parse(written(snake, Envelope::domain_event, domain_event_format("/x"))) == json::parse(snake));
  CHECK(json::parse(written(snake, Envelope::domain_event_camel, domain_event_format("/x"))) == json::parse(camel));
  CHECK(json::parse(written(camel, Envelope::domain_event, domain_event_format("/x"))) == json::parse(snake));
}

TEST_CASE("envelopes: text and bytes as data stay readable") {
  const std::string front = R"({"specversion":"1.0","id":"1","source":"/s","type":"t",)";
  CHECK(written(front + R"("datacontenttype":"text/plain","data":"a\nb"})", Envelope::bus_event) ==
        R"({"event_type":"t","data":"a\nb"})");
  CHECK(written(front + R"("data_base64":"/wA="})", Envelope::bus_event) == R"({"event_type":"t","data":"/wA="})");
}

TEST_CASE("envelopes: an event that came over several lines is written as one") {
  Decoding decoding;
  REQUIRE(decoding.code(
              "{\r\n\"specversion\":\"1.0\",\n\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"data\":[\n1]}") == "");
  std::string out = "before\n";
  append_line(decoding.last(), Envelope::cloudevents, out);
  CHECK(out == "before\n{  \"specversion\":\"1.0\", \"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"data\":[ 1]}\n");
}
