// Drives the source as a lane does: pulls, polls, settles.
#pragma once

#include "driver.hh"

#include "encode.hh"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace redis_test {

inline const sluice_class& source_class() { return rig::source_of(*sluice_module_v1(), "redis_streams"); }

constexpr const char* kStream = "nlp-events";
constexpr const char* kGroup = "g";

inline std::string source_config(const std::string& url, const std::string& more = "",
                                 const std::string& consumer = "one") {
  return R"({"url":")" + url + R"(","source_stream":"nlp-events","consumer_group":"g","poll_interval_ms":50,)" +
         R"("consumer_name":")" + consumer + "\"" + (more.empty() ? "" : "," + more) + "}";
}

/// As redis-py does it: one field `event`.
inline void publish(const RedisServer& server, std::uint64_t first, std::uint64_t count) {
  std::string commands;
  for (const std::string& text : events(first, count)) {
    commands += redis_streams::command({"XADD", kStream, "*", "event", text});
  }
  redis_streams::Connection(server.address(), 10s).request_all(commands, count);
}

inline std::string pending(const RedisServer& server) { return server.ask({"XPENDING", kStream, kGroup}); }

struct Read {
  std::string text, position;
  std::uint64_t tag;
};

class Reader {
 public:
  explicit Reader(const std::string& config) : node(source_class(), config, host) { tick(); }

  /// One round of a lane: what came is added to `reads`.
  void step(std::int32_t timeout_ms = 20) {
    tick();
    rig::Writer out(256);
    ended = node.pull(out) == SLUICE_END;
    for (std::uint32_t i = 0; i < out.count; ++i) {
      reads.push_back({out.text(i), std::string(sluice::view(out[i].position)), out[i].tag});
    }
    node.poll(timeout_ms, 256);
  }
  /// The lane's wait alone, as while the source is away.
  void poll_once(std::int32_t timeout_ms = 20) {
    tick();
    node.poll(timeout_ms, 0);
  }
  template <class Done>
  bool poll_until(Done done, std::chrono::seconds limit = 30s) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      poll_once();
    }
    return true;
  }
  template <class Done>
  bool step_until(Done done, std::chrono::seconds limit = 30s) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      step();
    }
    return true;
  }
  bool read(std::size_t count, std::chrono::seconds limit = 30s) {
    return step_until([&] { return reads.size() >= count; }, limit);
  }
  void settle(std::size_t first, std::size_t last, std::uint32_t outcome = SLUICE_WAS_DELIVERED) {
    std::vector<sluice_settlement> all;
    for (std::size_t i = first; i < last; ++i) all.push_back({reads.at(i).tag, outcome, 0, {}});
    tick();
    node.settle(all);
  }
  void settle_all(std::uint32_t outcome = SLUICE_WAS_DELIVERED) {
    settle(settled_, reads.size(), outcome);
    settled_ = reads.size();
  }
  /// Reads and settles until nothing of the group is pending and `count` different events came.
  bool consume(std::size_t count, const RedisServer& server, std::chrono::seconds limit = 30s) {
    return step_until([&] { return settle_all(), different() >= count && pending(server) == "0"; }, limit);
  }
  [[nodiscard]] std::size_t different() const {
    std::set<std::string> texts;
    for (const Read& one : reads) texts.insert(one.text);
    return texts.size();
  }
  [[nodiscard]] std::uint64_t counter(const std::string& name) {
    const sluice_cell* cell = host.cell(name);
    return cell == nullptr ? 0 : cell->count;
  }
  [[nodiscard]] double gauge(const std::string& name) {
    const sluice_cell* cell = host.cell(name);
    return cell == nullptr ? -1 : cell->value;
  }
  void tick() {
    host.clock_ns = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }

  rig::Host host;
  rig::Node node;
  std::vector<Read> reads;
  bool ended = false;

 private:
  std::size_t settled_ = 0;
};

}  // namespace redis_test
