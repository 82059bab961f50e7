// The rows of http_binding.jsonl and webhook.jsonl. What the source decides is asked over a real socket; what only the
// host's decoder can know (is the body strict JSON, is a timestamp one) is checked up to the record that it is given.
#include "catch.hh"
#include "client.hh"
#include "handshake.hh"
#include "reply.hh"

#include <sluice/cpp/http_binding.hh>

#include <fstream>
#include <set>

using nlohmann::json;
using test::Client;
using test::Door;
using test::status_of;

namespace {

const sluice_class& http_class() { return rig::class_of(*sluice_module_v1(), "http"); }

std::vector<json> rows_of(const std::string& path) {
  std::ifstream file(std::string(SLUICE_SOURCE_DIR) + path);
  std::vector<json> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(json::parse(line));
  return rows;
}

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

std::string text_of(const json& value) {
  return value.is_object() ? unbase64(value.at("base64")) : value.get<std::string>();
}

std::string http_text(const json& request) {
  const std::string body =
      request.contains("body_base64") ? unbase64(request["body_base64"]) : request.value("body", std::string());
  std::string text =
      request["method"].get<std::string>() + " " + request["target"].get<std::string>() + " HTTP/1.1\r\n";
  text += "Host: test\r\n";
  for (const auto& header : request["headers"]) {
    text += header.at(0).get<std::string>() + ": " + text_of(header.at(1)) + "\r\n";
  }
  return text + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Codes that only headers can earn: the source itself must refuse these, before the graph sees anything.
const std::set<std::string> kOfTheSource{"header_bad_percent", "header_bad_utf8",           "header_bad_quoting",
                                         "duplicate_header",   "ce_datacontenttype_header", "unsupported_format"};

void check_record(const test::Pulled& record, const json& expect) {
  const std::string mode = expect["mode"];
  CHECK(record.flags == (mode == "binary" ? SLUICE_ATTRIBUTES : mode == "batched" ? SLUICE_BATCHED : SLUICE_SINGLE));
  if (mode != "binary" || !expect.contains("events")) return;
  std::map<std::string, std::string> wanted, got;
  for (const auto& [name, value] : expect["events"][0]["attributes"].items()) wanted[name] = value;
  for (const auto& [name, value] : record.attributes) got[name] = value;
  CHECK(got.size() == record.attributes.size());
  CHECK(got == wanted);
  const json& data = expect["events"][0]["data"];
  CHECK(record.text == (data["kind"] == "none" ? "" : unbase64(data.value("base64", ""))));
}

}  // namespace

TEST_CASE("vectors: every row of the HTTP binding is taken, or refused before the graph", "[http][vectors]") {
  const std::vector<json> rows = rows_of("/tests/vectors/http_binding.jsonl");
  REQUIRE(rows.size() == 89);
  Door door(R"({"listen":"127.0.0.1:0"})", http_class());
  for (const json& row : rows) {
    INFO(row["name"]);
    const json& expect = row["expect"];
    Client client(door.port);
    client.send(http_text(row["request"]));
    const std::size_t before = door.pulled.size();
    std::string text;
    REQUIRE(door.until([&] { return !(text = client.response()).empty() || door.pulled.size() > before; }));
    if (expect.contains("code") && kOfTheSource.count(expect["code"]) != 0) {
      REQUIRE_FALSE(text.empty());
      CHECK(status_of(text) == expect["status"].get<int>());
      CHECK(text.find(expect["code"].get<std::string>()) != std::string::npos);
      CHECK(door.pulled.size() == before);
      continue;
    }
    REQUIRE(text.empty());
    const bool accepted = expect["accept"];
    if (accepted) check_record(door.pulled.back(), expect);
    door.settle(before, accepted ? SLUICE_WAS_DELIVERED : SLUICE_WAS_REJECTED, accepted ? 0 : SLUICE_CODE_UNDECODABLE);
    CHECK(status_of(door.response(client)) == expect["status"].get<int>());
  }
}

TEST_CASE("vectors: every handshake row for targets is granted or denied as it says", "[http][vectors]") {
  int count = 0;
  for (const json& row : rows_of("/plugins/http/tests/webhook.jsonl")) {
    if (row["role"] != "target") continue;
    INFO(row["name"]);
    ++count;
    json config{{"listen", "127.0.0.1:0"}, {"path", "/hook"}};
    for (const auto& [key, value] : row["config"].items()) {
      if (key != "enabled" && !value.is_null()) config[key] = value;
    }
    Door door(config.dump(), http_class());
    Client client(door.port);
    std::string request = row["request"]["method"].get<std::string>() + " /hook HTTP/1.1\r\nHost: test\r\n";
    for (const auto& [name, value] : row["request"]["headers"].items()) {
      request += name + ": " + value.get<std::string>() + "\r\n";
    }
    client.send(request + "\r\n");
    const std::string text = door.response(client);
    const json& expect = row["expect"];
    if (expect.contains("status")) CHECK(status_of(text) == expect["status"].get<int>());
    for (const auto& name : expect.value("absent_headers", json::array())) {
      CHECK(test::header_of(text, name).empty());
    }
    const json wanted = expect.value("headers", json::object());
    for (const auto& [name, value] : wanted.items()) {
      const std::string got = test::header_of(text, name);
      // With `*` configured, repeating the name is as good as `*`.
      const bool echoed = value == "*" && name == "WebHook-Allowed-Origin" &&
                          got == row["request"]["headers"]["WebHook-Request-Origin"];
      CHECK((echoed || got == value.get<std::string>()));
    }
  }
  CHECK(count == 16);
}

TEST_CASE("vectors: every row for senders is judged as it says", "[http][vectors]") {
  int count = 0;
  for (const json& row : rows_of("/plugins/http/tests/webhook.jsonl")) {
    if (row["role"] != "sender") continue;
    INFO(row["name"]);
    ++count;
    const json& expect = row["expect"];
    const bool asks = row["request"].contains("validation_response");
    const json& response = row["request"][asks ? "validation_response" : "delivery_response"];
    std::map<std::string, std::string> headers;
    const json given = response.value("headers", json::object());
    for (const auto& [name, value] : given.items()) {
      std::string folded;
      for (const char c : name) folded += sluice::http_binding::lower(c);
      headers[folded] = value;
    }
    if (asks) {
      const auto word = sluice_http::judge_consent(row["config"]["origin"].get<std::string>(),
                                                   row["config"]["requested_rate"].get<std::uint64_t>(),
                                                   headers["webhook-allowed-origin"], headers["webhook-allowed-rate"]);
      CHECK(word.granted == expect["may_send"].get<bool>());
      if (!word.granted) continue;
      const json rate = word.rate_per_minute ? json(*word.rate_per_minute) : json(nullptr);
      CHECK(rate == expect["rate_per_minute"]);
      continue;
    }
    sluice_http::Reply reply;
    reply.status = response["status"];
    reply.retry_after = headers["retry-after"];
    reply.date = headers["date"];
    const auto made = sluice_http::judge(reply, 0);
    const std::string outcome = expect["outcome"];
    if (outcome == "delivered") CHECK(made.status == SLUICE_OK);
    if (outcome == "poison") CHECK((made.status == SLUICE_REJECTED && !made.gone));
    if (outcome == "retired") CHECK((made.status == SLUICE_REJECTED && made.gone));
    // A failure that a person must mend: a wrong URL, or credentials.
    if (outcome == "failed") CHECK(made.status == (reply.status == 302 ? SLUICE_REJECTED : SLUICE_AWAY));
    if (outcome == "retry") CHECK(made.status == (reply.status == 429 ? SLUICE_AWAY : SLUICE_AGAIN));
    if (expect.contains("not_before_s")) {
      CHECK(made.retry_after == std::chrono::seconds(expect["not_before_s"].get<int>()));
    }
  }
  CHECK(count == 18);
}
