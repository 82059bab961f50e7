// Drives a source as a lane does: polls, pulls when there is room, settles what the test says.
#pragma once

#include "driver.hh"

#include <memory>

namespace nats_test {

struct Pulled {
  std::uint64_t tag = 0;
  std::string text, position;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::uint32_t flags = 0;

  [[nodiscard]] std::string attribute(std::string_view name) const {
    for (const auto& [key, value] : attributes) {
      if (key == name) return value;
    }
    return {};
  }
};

class SourceDriver {
 public:
  explicit SourceDriver(const std::string& config, std::uint32_t which = 1)
      : node(*sluice_module_v1()->classes[which], config, host) {
    host.clock_ns = real_ns();
  }
  void poll(std::int32_t timeout_ms = 20, std::uint32_t room = 256) {
    host.clock_ns = real_ns();
    node.poll(timeout_ms, room);
  }
  /// One pull. What came is kept in `pulled`.
  sluice_status pull() {
    host.clock_ns = real_ns();
    rig::Writer out(256, 256 * 1024);
    const sluice_status status = node.pull(out);
    for (std::uint32_t i = 0; i < out.count; ++i) {
      Pulled one{out[i].tag, out.text(i), std::string(sluice::view(out[i].position)), {}, out[i].flags};
      for (std::uint32_t h = 0; h < out[i].header_count; ++h) {
        const sluice_attribute& header = out[i].headers[h];
        one.attributes.emplace_back(sluice::view(header.name), sluice::view(header.value));
      }
      pulled.push_back(std::move(one));
    }
    return status;
  }
  /// Polls and pulls until `done`. False when that took too long. An away server is asked again.
  template <class Done>
  bool until(Done done, std::chrono::seconds limit = 30s) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      if (pull() == SLUICE_AWAY) ::poll(nullptr, 0, 10);
      if (!done()) poll();
    }
    return true;
  }
  /// Polls, as when the host has room but does not pull yet.
  template <class Done>
  bool poll_until(Done done, std::chrono::seconds limit = 30s) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      poll(5);
    }
    return true;
  }
  bool until_pulled(std::size_t count) {
    return until([&] { return pulled.size() >= count; });
  }
  void settle(std::size_t from, std::size_t to, std::uint32_t outcome = SLUICE_WAS_DELIVERED, std::int32_t code = 0) {
    std::vector<sluice_settlement> all;
    for (std::size_t i = from; i < to; ++i) all.push_back({pulled[i].tag, outcome, code, {}});
    node.settle(all);
  }

  rig::Host host;
  rig::Node node;
  std::vector<Pulled> pulled;
};

/// The source `nats` reads stream S with consumer C.
inline std::string source_config(const std::string& url, const std::string& more = "") {
  return config(url, R"("stream":"S","durable_name":"C")" + (more.empty() ? "" : "," + more));
}

inline nlohmann::json consumer(FarSide& far) { return far.ask("$JS.API.CONSUMER.INFO.S.C"); }

inline void fill(FarSide& far, std::uint64_t first, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    REQUIRE(far.connection().publish("s.x", nullptr, event(first + i)));
    if (i % 500 == 499) far.flush();
  }
  far.flush();
}

}  // namespace nats_test
