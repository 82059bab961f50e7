#include "core/decode.hh"

#include "catch.hh"
#include "decoding.hh"

#include <algorithm>

using namespace sluice;

namespace {

constexpr std::string_view kFront = R"({"specversion":"1.0","id":"1","source":"/s","type":"t")";

std::string event_with(std::string_view members) { return std::string(kFront) + "," + std::string(members) + "}"; }

bool lies_in(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

sluice_attribute attribute(std::string_view name, std::string_view value, std::uint32_t type = SLUICE_STRING) {
  return {.name = str(name), .value = str(value), .type = type, .reserved = 0};
}

sluice_record with_headers(const Padded& data, const std::vector<sluice_attribute>& headers) {
  sluice_record record = data.record(SLUICE_ATTRIBUTES);
  record.headers = headers.data();
  record.header_count = static_cast<std::uint32_t>(headers.size());
  return record;
}

}  // namespace

TEST_CASE("decoder: attributes and data lie in the record itself, when nothing is escaped") {
  const Padded text(event_with(R"("subject":"a/b","ext":"v","data":{"n" : [1.0, 1e400, "\u0041"]})"));
  Decoding decoding;
  REQUIRE(decoding.code(text.record()) == "");
  const EventView event = decoding.last();
  for (const std::string_view part : {event.id(), event.source(), event.type(), event.subject(), event.data(),
                                      event.json(), *event.extension("ext")}) {
    CHECK(lies_in(part, text.text()));
  }
  CHECK(event.json() == text.text());
  CHECK(event.data() == R"({"n" : [1.0, 1e400, "\u0041"]})");
  CHECK((event.raw().flags & SLUICE_SYNTHETIC) == 0);
}

TEST_CASE("decoder: the data keeps its source text byte for byte, also when other members are rewritten") {
  const std::string data = GENERATE(as<std::string>(), "{ \"b\":1,\t\"a\" : 2 }", "[1.0,1,-0,12345678901234567890123]",
                                    "\"x\\u00e4\\/\\ud800\"", "{\"a\":1,\"a\":2}", "null", "false", "0.1e-9");
  const std::string members =
      GENERATE(as<std::string>(), "\"data\":", "\"subject\":\"\\u00fc\",\"data\":", "\"ext\":\"\\n\\n\",\"data\":");
  Decoding decoding;
  const std::string code = decoding.code(event_with(members + data));
  if (members.find("ext") != members.npos) {
    CHECK(code == "bad_string_chars");
    return;
  }
  REQUIRE(code == "");
  CHECK(decoding.last().data() == data);
  CHECK(decoding.last().json() == event_with(members + data));
}

TEST_CASE("decoder: escaped values are unescaped next to a copy of the JSON") {
  Decoding decoding;
  REQUIRE(decoding.code(R"({"specversion":"1\u002e0","\u0069d":"a\/b","source":"\/s","type":"t\ud83d\ude80",)"
                        R"("e\u0078t":"\"q\"","datacontenttype":"text/plain","data":"l1\nl2"})") == "");
  const EventView event = decoding.last();
  CHECK(event.id() == "a/b");
  CHECK(event.source() == "/s");
  CHECK(event.type() == "t\xF0\x9F\x9A\x80");
  CHECK(event.extension("ext") == "\"q\"");
  CHECK(event.data() == "l1\nl2");
  CHECK(event.data_is_bytes());
}

TEST_CASE("decoder: refuses text that is not JSON, wherever the fault lies") {
  const std::string value =
      GENERATE(as<std::string>(), R"({"a":tru})", R"({"a":nul})", R"({"a":falsey})", "[1,,2]", "[1,]", "[,1]",
               R"({"a":1,})", R"({"a" 1})", R"({"a":})", R"({1:2})", R"({"a":1 "b":2})", R"({"a":1;"b":2})", R"("\x")",
               R"("\u12g4")", R"("\u12")", R"({"\q":1})", R"([{"a":["\uZZZZ"]}])", "01", "1.", ".5", "1e", "1e+", "-",
               "--1", "+1", "0x10", "1a", "NaN", "Infinity", "'a'", "[1 2]", "[\"a\" \"b\"]", "[\"a\"\"b\"]",
               "[1\"a\"]", "[\"a\"1]", "{\"a\":1]", "[1}", "[[1]", "{}}", "truefalse", "true\"a\"", "[true\\\"]",
               "\"a\tb\"", "/* c */ 1", "[1]x", "nullx", "\"\\ud83d\\u\"");
  Decoding decoding;
  INFO(value);
  CHECK(decoding.code(event_with("\"data\":" + value)) == "json_syntax");
  CHECK(decoding.code(event_with("\"data\":[" + value + "]")) == "json_syntax");
  CHECK(decoding.code(event_with("\"data\":{\"deep\":" + value + "}")) == "json_syntax");
  CHECK(decoding.code("[" + event_with("\"data\":" + value) + "]") == "json_syntax");
}

TEST_CASE("decoder: refuses every proper prefix of an event") {
  const std::string whole = event_with(R"("ext":true,"n":-12,"data":{"a":[1,"\n",{}],"b":null})");
  Decoding decoding;
  REQUIRE(decoding.code(whole) == "");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    INFO(whole.substr(0, length));
    CHECK(decoding.code(whole.substr(0, length)) == "json_syntax");
  }
}

TEST_CASE("decoder: takes an array of events, and SLUICE_SINGLE refuses one") {
  const std::string one = std::string(kFront) + "}";
  Decoding decoding;
  CHECK(decoding.code(" [ " + one + " , " + one + " ] ") == "");
  CHECK(decoding.size() == 2);
  CHECK(decoding.code("[]") == "");
  CHECK(decoding.size() == 2);
  CHECK(decoding.code("[" + one + "]", SLUICE_SINGLE) == "json_not_object");
  CHECK(decoding.code(one, SLUICE_BATCHED) == "batch_not_array");
}

TEST_CASE("decoder: a bad event in a batch takes the whole batch with it, and the reason says which") {
  const std::string one = std::string(kFront) + "}";
  Decoding decoding;
  CHECK(decoding.code("[" + one + R"(,{"specversion":"1.0","id":"2"}])", SLUICE_BATCHED) == "batch_item_invalid");
  CHECK(decoding.reason.find("event 2 of the batch") != std::string::npos);
  CHECK(decoding.size() == 0);
}

TEST_CASE("decoder: limits hold exactly") {
  EventLimits limits;
  limits.event_bytes = 100;
  limits.nesting = 3;
  limits.batch_events = 2;
  limits.attributes = 6;
  Decoding decoding(cloudevents_format(), limits);
  const std::string bare = std::string(kFront) + "}";
  const auto of_length = [](std::size_t length) {
    const std::string text = event_with(R"("data":"")");
    return event_with("\"data\":\"" + std::string(length - text.size(), 'x') + "\"");
  };
  CHECK(decoding.code(of_length(100)) == "");
  CHECK(decoding.code(of_length(101)) == "too_large");
  CHECK(decoding.code(event_with(R"("data":[[1]])")) == "");
  CHECK(decoding.code(event_with(R"("data":[[[1]]])")) == "json_too_deep");
  CHECK(decoding.code("[" + bare + "," + bare + "]") == "");
  CHECK(decoding.code("[" + bare + "," + bare + "," + bare + "]") == "batch_too_long");
  CHECK(decoding.code(event_with(R"("a":1,"b":2)")) == "");
  CHECK(decoding.code(event_with(R"("a":1,"b":2,"c":3)")) == "too_many_attributes");
}

TEST_CASE("decoder: nesting beyond any limit is refused without using the stack") {
  EventLimits limits;
  limits.nesting = 1'000'000;
  Decoding decoding(cloudevents_format(), limits);
  std::string data = "\"data\":";
  data.append(200'000, '[').append(200'000, ']');
  CHECK(decoding.code(event_with(data)) == "json_too_deep");
}

TEST_CASE("decoder: the partitionkey extension is the event's key") {
  Decoding decoding;
  REQUIRE(decoding.code(event_with(R"("partitionkey":"tenant-7")")) == "");
  CHECK(decoding.last().key() == "tenant-7");
  REQUIRE(decoding.code(event_with(R"("subject":"x")")) == "");
  CHECK(decoding.last().key().empty());
}

TEST_CASE("binary mode: the host writes JSON that decodes to the same event") {
  const Padded data(GENERATE(as<std::string>(), R"({"a": 1.0})", "{oops", "\xff\x00", "7", "7 8", "\"s\""));
  const std::string type = GENERATE(as<std::string>(), "application/json", "text/plain", "");
  std::vector<sluice_attribute> headers = {attribute("specversion", "1.0"),     attribute("id", "q\"1"),
                                           attribute("source", "/s"),           attribute("type", "t"),
                                           attribute("n", "5", SLUICE_INTEGER), attribute("m", "05", SLUICE_INTEGER)};
  if (!type.empty()) headers.push_back(attribute("datacontenttype", type));
  Decoding decoding;
  REQUIRE(decoding.code(with_headers(data, headers)) == "");
  const EventView event = decoding.last();
  CHECK((event.raw().flags & SLUICE_SYNTHETIC) != 0);
  CHECK(event.data() == data.text());
  const bool json = type == "application/json" && nlohmann::json::accept(data.text());
  CHECK(event.data_is_bytes() == !json);

  Decoding again;
  REQUIRE(again.code(event.json()) == "");
  CHECK(attributes_of(again.last()) == attributes_of(event));
  CHECK(again.last().data() == event.data());
  CHECK(nlohmann::json::parse(event.json())["n"] == 5);
  CHECK(nlohmann::json::parse(event.json())["m"] == "05");
}

TEST_CASE("binary mode: what a derived event leaves out is filled in, when the context asks for it") {
  const Padded data(R"({"rate":0.5})");
  const std::vector<sluice_attribute> headers = {attribute("type", "validation.warning")};
  Decoding decoding;
  CHECK(decoding.code(with_headers(data, headers)) == "missing_required");
  decoding.context.fill_in = true;
  REQUIRE(decoding.code(with_headers(data, headers)) == "");
  const EventView event = decoding.last();
  CHECK(event.source() == "/sluice/test");
  CHECK(event.time() == "2026-03-01T08:09:10.123Z");
  CHECK(event.time_seconds() == 1'772'352'550);
  CHECK(event.id().size() == 36);
  CHECK(event.data() == R"({"rate":0.5})");
  CHECK(!event.data_is_bytes());
}

TEST_CASE("bus_event: type, time and data come from their fields, the rest becomes extensions") {
  Decoding decoding(bus_event_format("/extraction"));
  REQUIRE(
      decoding.code(R"({"event_type":"specimen.completed","timestamp":"2025-10-10T12:00:00.500","runId":"r\u00201",)"
                    R"("step_no":7,"ratio":0.5,"ok":true,"none":null,"tags":["a"],"data":{"run_id": 1.0}})") == "");
  const EventView event = decoding.last();
  CHECK(event.type() == "specimen.completed");
  CHECK(event.source() == "/extraction");
  CHECK(event.time() == "2025-10-10T12:00:00.500Z");
  CHECK(event.time_seconds() == 1'760'097'600);
  CHECK(event.data() == R"({"run_id": 1.0})");
  CHECK(event.extension("runid") == "r 1");
  CHECK(event.extension("stepno") == "7");
  CHECK(event.extension("ratio") == "0.5");
  CHECK(event.extension("ok") == "true");
  CHECK(event.extension("tags") == R"(["a"])");
  CHECK(!event.extension("none"));
  Decoding again;
  CHECK(again.code(event.json()) == "");
}

TEST_CASE("bus_event: an event without a time has none") {
  Decoding decoding(bus_event_format("/extraction"));
  REQUIRE(decoding.code(R"({"event_type":"t"})") == "");
  CHECK(!decoding.last().time_seconds());
  CHECK(decoding.last().time().empty());
  CHECK(!decoding.last().has_data());
}

TEST_CASE("domain_event: snake and camel case are one") {
  const bool camel = GENERATE(false, true);
  Decoding decoding(domain_event_format("/draft-genie"));
  REQUIRE(decoding.code(
              camel
                  ? R"({"eventId":"e1","eventType":"speaker.onboarded","aggregateId":"123","aggregateType":)"
                    R"("Speaker","timestamp":"2024-01-15T10:30:00Z","version":1,"correlationId":"c","payload":{}})"
                  : R"({"event_id":"e1","event_type":"speaker.onboarded","aggregate_id":"123","aggregate_type":)"
                    R"("Speaker","timestamp":"2024-01-15T10:30:00Z","version":1,"correlation_id":"c","payload":{}})") ==
          "");
  const nlohmann::json expected = {{"specversion", "1.0"},
                                   {"id", "e1"},
                                   {"type", "speaker.onboarded"},
                                   {"subject", "123"},
                                   {"version", "1"},
                                   {"aggregatetype", "Speaker"},
                                   {"correlationid", "c"},
                                   {"source", "/draft-genie"},
                                   {"time", "2024-01-15T10:30:00Z"}};
  CHECK(attributes_of(decoding.last()) == expected);
}

TEST_CASE("envelope: a message's properties give what its own text does not, and never more") {
  const std::vector<sluice_attribute> properties = {attribute("id", "m-1"), attribute("correlationid", "c-1"),
                                                    attribute("type", "other"), attribute("not-a-name", "x")};
  const auto with_properties = [&](const Padded& body) {
    sluice_record record = body.record();
    record.headers = properties.data();
    record.header_count = static_cast<std::uint32_t>(properties.size());
    return record;
  };
  Decoding decoding(domain_event_format("/s"));
  const Padded bare(R"({"event_type":"speaker.updated","payload":1})");
  REQUIRE(decoding.code(with_properties(bare)) == "");
  CHECK(decoding.last().id() == "m-1");
  CHECK(decoding.last().type() == "speaker.updated");
  CHECK(decoding.last().extension("correlationid") == "c-1");
  CHECK(decoding.last().raw().extension_count == 1);
  const Padded whole(R"({"event_id":"e-1","event_type":"speaker.updated","correlation_id":"c-2","payload":1})");
  REQUIRE(decoding.code(with_properties(whole)) == "");
  CHECK(decoding.last().id() == "e-1");
  CHECK(decoding.last().extension("correlationid") == "c-2");

  Decoding cloudevents;
  const Padded event(event_with(R"("data":1)"));
  REQUIRE(cloudevents.code(with_properties(event)) == "");
  CHECK(cloudevents.last().json() == event.text());
  CHECK_FALSE(cloudevents.last().extension("correlationid").has_value());
}

TEST_CASE("envelope: what cannot be an event is refused with its reason") {
  Decoding decoding(bus_event_format("/x"));
  CHECK(decoding.code(R"({"data":{}})") == "missing_required");
  CHECK(decoding.code(R"({"event_type":"a","event_type":"b"})") == "json_duplicate_member");
  CHECK(decoding.code(R"({"event_type":"a","run_id":1,"runId":2})") == "json_duplicate_member");
  CHECK(decoding.code(R"({"event_type":"a","timestamp":"lunch"})") == "bad_timestamp");
  CHECK(decoding.code(R"({"event_type":"a","specversion":"0.3"})") == "no_place");
  CHECK(decoding.code(R"({"event_type":{}})") == "wrong_type");
  CHECK(decoding.code(R"({"event_type":"a\u0000"})") == "bad_string_chars");
  CHECK(decoding.code(R"({"event_type":"a","x":"\ud800"})") == "bad_string_chars");
  CHECK(decoding.code(R"({"event_type":"a","data":tru})") == "json_syntax");
}

TEST_CASE("raw: any bytes become the data") {
  EventFormat format;
  format.kind = FormatKind::raw;
  format.type = "log.line";
  format.source = "/app";
  format.datacontenttype = GENERATE(as<std::string>(), "", "text/plain", "application/json");
  const Padded bytes(GENERATE(as<std::string>(), "plain \"text\"\n", "\xff\xfe", "{\"a\":1}"));
  Decoding decoding(format);
  REQUIRE(decoding.code(bytes.record()) == "");
  CHECK(decoding.last().type() == "log.line");
  CHECK(decoding.last().data() == bytes.text());
  Decoding again;
  REQUIRE(again.code(decoding.last().json()) == "");
  CHECK(again.last().data() == bytes.text());
}

TEST_CASE("ids: the same position gives the same id, another position, node or index another one") {
  const auto id_of = [](std::string_view node, std::string_view position, std::size_t index) {
    Decoding decoding(bus_event_format("/x"));
    decoding.context.node = node;
    const Padded text(R"([{"event_type":"a"},{"event_type":"a"}])");
    sluice_record record = text.record();
    record.position = str(position);
    REQUIRE(decoding.code(record) == "");
    return std::string(decoding.event(index).id());
  };
  const std::string first = id_of("n", "17:0", 0);
  CHECK(first == id_of("n", "17:0", 0));
  CHECK(first != id_of("n", "17:1", 0));
  CHECK(first != id_of("m", "17:0", 0));
  CHECK(first != id_of("n", "17:0", 1));
  CHECK(id_of("n1", "7:0", 0) != id_of("n", "17:0", 0));
  CHECK(first[14] == '8');
}

TEST_CASE("ids: without a position they are time-ordered UUIDs, no two alike") {
  Decoding decoding(bus_event_format("/x"));
  REQUIRE(decoding.code(R"([{"event_type":"a"},{"event_type":"a"}])") == "");
  const std::string first(decoding.event(0).id()), second(decoding.event(1).id());
  CHECK(first != second);
  CHECK(first[14] == '7');
  CHECK(first.substr(0, 13) == second.substr(0, 13));
}
