// The project's own vectors and, where they are at hand, those of the CloudEvents conformance project.
#include "catch.hh"
#include "decoding.hh"

#include "core/filter.hh"

#include <sluice/cpp/http_binding.hh>

#include <filesystem>
#include <iostream>
#include <set>

using namespace sluice;
using nlohmann::json;

namespace {

std::string text_of(const json& row) {
  if (row.contains("event_base64")) return from_base64(row["event_base64"]);
  return row.contains("event_raw") ? row["event_raw"].get<std::string>() : row["event"].dump();
}

std::uint32_t flags_of(const json& row) { return row["format"] == "json-batch" ? SLUICE_BATCHED : SLUICE_SINGLE; }

/// The source text that the data must keep, byte for byte: found by a parser that is not ours.
void check_data(EventView event, const json& data, const json& source) {
  const std::string kind = data["kind"];
  if (kind == "none") {
    CHECK(!event.has_data());
  } else if (kind == "json") {
    CHECK(event.has_data());
    CHECK(!event.data_is_bytes());
    if (source.is_discarded()) return;  // half a surrogate pair in the data: the other parser refuses it
    CHECK(json::parse(event.data()) == (data.contains("json") ? data["json"] : source.at("data")));
  } else {
    CHECK(event.has_data());
    CHECK(event.data() == (kind == "text" ? data["text"].get<std::string>() : from_base64(data["base64"])));
  }
}

void check_event(EventView event, const json& expected, const json& source) {
  if (expected.contains("attributes")) CHECK(attributes_of(event) == expected["attributes"]);
  if (expected.contains("data")) check_data(event, expected["data"], source);
  if (expected.contains("time_unix")) {
    REQUIRE(event.time_seconds());
    CHECK(*event.time_seconds() == expected["time_unix"][0].get<std::int64_t>());
    CHECK(event.raw().time_ns == expected["time_unix"][1].get<std::uint32_t>());
  }
}

}  // namespace

TEST_CASE("decoder: takes every valid event of the vectors and reads its attributes") {
  const auto rows = own_vectors("cloudevents_valid.jsonl");
  REQUIRE(rows.size() == 89);
  for (const json& row : rows) {
    INFO(row["name"]);
    Decoding decoding;
    const std::string text = text_of(row);
    REQUIRE(decoding.code(text, flags_of(row)) == "");
    if (!row.contains("expect")) continue;
    const json source = row.contains("event") ? row["event"] : json::parse(text, nullptr, false);
    if (row["expect"].contains("count")) {
      CHECK(decoding.size() == row["expect"]["count"].get<std::size_t>());
    } else {
      REQUIRE(decoding.size() == 1);
      check_event(decoding.last(), row["expect"], source);
    }
  }
}

TEST_CASE("decoder: refuses every invalid event of the vectors with its code") {
  const auto rows = own_vectors("cloudevents_invalid.jsonl");
  REQUIRE(rows.size() == 183);
  for (const json& row : rows) {
    INFO(row["name"] << ": " << row["why"]);
    Decoding decoding;
    const std::string code = decoding.code(text_of(row), flags_of(row));
    if (row["level"] == "extension") {
      CHECK(code == "");  // this host checks no extension's own constraints
    } else {
      CHECK(code == row["code"].get<std::string>());
      CHECK(!decoding.reason.empty());
    }
  }
}

TEST_CASE("filters: every vector passes, fails or is refused as written") {
  std::size_t run = 0;
  for (const json& row : own_vectors("filters.jsonl")) {
    INFO(row["name"] << ": " << row["why"]);
    const std::string filters = row["filters"].dump();
    std::string why;
    const auto filter = Filter::parse(filters, why);
    ++run;
    const std::string expected = row["expect"];
    CHECK(filter.has_value() == (expected != "reject"));
    if (!filter) {
      CHECK(!why.empty());
      continue;
    }
    Decoding decoding;
    REQUIRE(decoding.code(row["event"].dump()) == "");
    CHECK(filter->matches(decoding.last().raw()) == (expected == "pass"));
  }
  CHECK(run == 41);
}

namespace {

/// What an HTTP source does with a request, without the network.
std::string receive(const json& request, Decoding& decoding, http_binding::Mode& mode) {
  using namespace http_binding;
  const std::string body =
      request.contains("body_base64") ? from_base64(request["body_base64"]) : request["body"].get<std::string>();
  BinaryHeaders headers;
  std::string content_type;
  std::optional<Refusal> refused;
  for (const json& header : request["headers"]) {
    const std::string name = header[0];
    const std::string value = header[1].is_string() ? header[1].get<std::string>() : from_base64(header[1]["base64"]);
    if (equals_ignoring_case(name, "content-type")) content_type = value;
    if (const auto refusal = headers.add(name, value); refusal && !refused) refused = refusal;
  }
  const Content content = mode_of(content_type);
  mode = content.mode;
  if (!content.readable) return "unsupported_format";
  if (content.mode == Mode::structured) return decoding.code(body, SLUICE_SINGLE);
  if (content.mode == Mode::batched) return decoding.code(body, SLUICE_BATCHED);
  if (refused) return refused->code;
  const Padded padded(body);
  sluice_record record = padded.record(SLUICE_ATTRIBUTES);
  if (body.empty()) record.ptr = nullptr;
  record.headers = headers.attributes().data();
  record.header_count = static_cast<std::uint32_t>(headers.attributes().size());
  return decoding.code(record);
}

}  // namespace

TEST_CASE("HTTP binding: every request of the vectors becomes its events or is refused with its code") {
  const auto rows = own_vectors("http_binding.jsonl");
  REQUIRE(rows.size() == 89);
  for (const json& row : rows) {
    INFO(row["name"] << ": " << row["why"]);
    const json& expected = row["expect"];
    Decoding decoding;
    auto mode = http_binding::Mode::binary;
    const std::string code = receive(row["request"], decoding, mode);
    if (expected.contains("mode")) {
      const std::string word = expected["mode"];
      CHECK(mode == (word == "binary"       ? http_binding::Mode::binary
                     : word == "structured" ? http_binding::Mode::structured
                                            : http_binding::Mode::batched));
    }
    if (!expected["accept"]) {
      CHECK(code == expected["code"].get<std::string>());
      continue;
    }
    REQUIRE(code == "");
    REQUIRE(decoding.size() == expected["events"].size());
    for (std::size_t i = 0; i < decoding.size(); ++i) {
      check_event(decoding.event(i), expected["events"][i], expected["events"][i]["data"]);
    }
  }
}

TEST_CASE("decoder: agrees with the CloudEvents conformance suite, where it is at hand") {
  const std::string folder = std::string(SLUICE_SOURCE_DIR) + "/../shared/vectors/upstream_conformance/format_json";
  if (!std::filesystem::exists(folder)) {
    std::cout << "skipped: no CloudEvents conformance suite at " << folder << '\n';
    return;
  }
  std::size_t cases = 0;
  for (const char* name : {"valid-events", "invalid-events", "valid-batches", "invalid-batches"}) {
    const json suite = json::parse(std::ifstream(folder + "/" + name + ".json"));
    const bool batch = std::string_view(name).find("batches") != std::string_view::npos;
    const bool valid = std::string_view(name).starts_with("valid");
    for (const json& test : suite["tests"]) {
      INFO(test["id"]);
      Decoding decoding;
      const std::string code =
          decoding.code(test[batch ? "batch" : "event"].dump(), batch ? SLUICE_BATCHED : SLUICE_SINGLE);
      CHECK((code == "") == valid);
      ++cases;
    }
  }
  CHECK(cases == 43);
}
