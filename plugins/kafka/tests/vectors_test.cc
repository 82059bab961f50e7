// The Kafka rows of mq_bindings.jsonl: headers and value become a record as the source makes it, and the host's own
// decoder judges it. What is accepted is written again in binary mode and must be the same headers and value.
#include "headers.hh"

#include "core/decoding.hh"

#include "catch.hh"

#include <deque>
#include <fstream>
#include <set>

using nlohmann::json;

namespace {

std::string unbase64(const std::string& text) {
  static const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<std::uint32_t>(alphabet.find(c));
    if ((count += 6) >= 8) out += static_cast<char>(bits >> (count -= 8) & 255);
  }
  return out;
}

/// A message of a row; the texts live as long as it.
struct Message {
  explicit Message(const json& row) {
    for (const auto& header : row["headers"]) {
      const json& value = header.at(1);
      const std::string& name = texts.emplace_back(header.at(0).get<std::string>());
      const std::string& text = texts.emplace_back(value.is_null()     ? ""
                                                   : value.is_object() ? unbase64(value.at("base64"))
                                                                       : value.get<std::string>());
      headers.push_back({name, text, !value.is_null()});
    }
    has_value = !row["body_base64"].is_null();
    if (has_value) value = unbase64(row["body_base64"]);
  }
  std::deque<std::string> texts;
  std::vector<kafka::Header> headers;
  std::string value;
  bool has_value = true;
};

/// The code of the refusal, "" when it is an event.
std::string decode(const Message& message, kafka::Leniency leniency, sluice::Decoding& decoding,
                   std::vector<sluice_attribute>& attributes, const sluice::Padded& bytes) {
  sluice_record record = bytes.record();
  kafka::describe(message.headers, message.has_value, leniency, record, attributes);
  return decoding.code(record);
}

void check_round_trip(const Message& message, const sluice::EventView& event) {
  std::vector<std::string> names;
  std::vector<kafka::Header> headers;
  kafka::headers_of(event, names, headers);
  std::set<std::pair<std::string, std::string>> wanted, written;
  for (const kafka::Header& header : message.headers) wanted.emplace(header.name, header.value);
  for (const kafka::Header& header : headers) written.emplace(header.name, header.value);
  CHECK(written == wanted);
  CHECK(event.has_data() == message.has_value);
  CHECK(event.data() == message.value);
}

}  // namespace

TEST_CASE("vectors: every Kafka row is read as it must be, to the letter of the binding", "[kafka][vectors]") {
  std::ifstream file(std::string(SLUICE_SOURCE_DIR) + "/tests/vectors/mq_bindings.jsonl");
  int rows = 0;
  for (std::string line; std::getline(file, line);) {
    const json row = json::parse(line);
    if (row["binding"] != "kafka") continue;
    ++rows;
    CAPTURE(row["name"].get<std::string>());
    const Message message(row["message"]);
    const sluice::Padded bytes(message.value);
    sluice::Decoding decoding;
    std::vector<sluice_attribute> attributes;
    const std::string code = decode(message, {.takes_plain = false}, decoding, attributes, bytes);
    CHECK(code.empty() == row["expect"]["accept"].get<bool>());
    if (!code.empty() || !row["expect"]["accept"].get<bool>()) continue;
    REQUIRE(decoding.size() == 1);
    const sluice::EventView event = decoding.event(0);
    CHECK(attributes_of(event) == row["expect"]["attributes"]);
    CHECK(event.has_data() == (row["expect"]["data"]["kind"] != "none"));
    if (kafka::mode_of(message.headers) == kafka::Mode::binary) check_round_trip(message, event);
  }
  CHECK(rows == 14);
}

TEST_CASE("vectors: without strict, JSON that says nothing of itself is read, and every must row still holds",
          "[kafka][vectors]") {
  std::ifstream file(std::string(SLUICE_SOURCE_DIR) + "/tests/vectors/mq_bindings.jsonl");
  for (std::string line; std::getline(file, line);) {
    const json row = json::parse(line);
    if (row["binding"] != "kafka") continue;
    CAPTURE(row["name"].get<std::string>());
    const Message message(row["message"]);
    const sluice::Padded bytes(message.value);
    sluice::Decoding decoding;
    std::vector<sluice_attribute> attributes;
    const std::string code = decode(message, {}, decoding, attributes, bytes);
    const bool plain = row["name"] == "kafka-str-no-content-type";
    CHECK(code.empty() == (plain || row["expect"]["accept"].get<bool>()));
  }
}

TEST_CASE("vectors: a batch is taken when that was asked for", "[kafka][vectors]") {
  Message message(json::parse(R"({"headers":[["content-type","application/cloudevents-batch+json"]],
    "body_base64":null})"));
  message.value = R"([{"specversion":"1.0","id":"1","source":"s","type":"t"},
                      {"specversion":"1.0","id":"2","source":"s","type":"t"}])";
  message.has_value = true;
  const sluice::Padded bytes(message.value);
  sluice::Decoding decoding;
  std::vector<sluice_attribute> attributes;
  CHECK(decode(message, {.takes_plain = true, .takes_batches = true}, decoding, attributes, bytes).empty());
  CHECK(decoding.size() == 2);
}
