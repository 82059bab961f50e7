// What the server has, seen by a client of its own: streams as JetStream's answers tell of them.
#pragma once

#include "nats_server.hh"

#include "client.hh"

#include "plugin_rig.hh"

#include <functional>
#include <nlohmann/json.hpp>

namespace nats_test {

class FarSide {
 public:
  explicit FarSide(const std::string& url) : connection_(address(url), 5s, sluice::HostView(host_)) {}

  static nats::Address address(const std::string& url) {
    nats::Address made;
    made.servers = {url};
    made.name = "far side";
    return made;
  }
  /// The answer's body to a request.
  nlohmann::json ask(const std::string& subject, const std::string& body = "{}") {
    const std::string reply = connection_.inbox() + ".answer";
    REQUIRE(connection_.publish(subject.c_str(), reply.c_str(), body));
    nats::Message answer;
    REQUIRE(until([&] { return connection_.take_answer(answer); }));
    return answer ? nlohmann::json::parse(answer.body()) : nlohmann::json{{"status", 503}};
  }
  std::uint64_t length(const std::string& stream) {
    const auto info = ask("$JS.API.STREAM.INFO." + stream);
    return info.contains("state") ? info["state"]["messages"].get<std::uint64_t>() : 0;
  }
  /// A stored message: {"subject", "data" (base64), "hdrs" (base64), "seq"}.
  nlohmann::json stored(const std::string& stream, std::uint64_t sequence) {
    return ask("$JS.API.STREAM.MSG.GET." + stream, R"({"seq":)" + std::to_string(sequence) + "}")["message"];
  }
  void make_stream(const std::string& name, const std::string& subject, const std::string& more = "") {
    const auto made = ask("$JS.API.STREAM.CREATE." + name, R"({"name":")" + name + R"(","subjects":[")" + subject +
                                                               R"("],"storage":"file")" + more + "}");
    REQUIRE(made.contains("config"));
  }
  /// Publishes and waits until the server has handled it.
  void publish(const std::string& subject, const std::string& body, const nats::Headers& headers = {}) {
    REQUIRE(connection_.publish(subject.c_str(), nullptr, headers, body));
    flush();
  }
  void flush() {
    REQUIRE(connection_.publish((connection_.inbox() + ".echo").c_str(), nullptr, std::string_view()));
    nats::Message answer;
    REQUIRE(until([&] { return connection_.take_answer(answer); }));
  }
  bool until(const std::function<bool()>& done, std::chrono::seconds limit = 30s) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline || connection_.lost()) return false;
      connection_.exchange(-1, 20ms);
    }
    return true;
  }
  nats::Connection& connection() { return connection_; }

 private:
  rig::Host host_;
  nats::Connection connection_;
};

/// Undoes base64, as the server writes it.
inline std::string from_base64(const std::string& text) {
  static const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0, have = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<std::uint32_t>(alphabet.find(c));
    have += 6;
    if (have < 8) continue;
    have -= 8;
    out += static_cast<char>(bits >> have & 0xFF);
  }
  return out;
}

}  // namespace nats_test
