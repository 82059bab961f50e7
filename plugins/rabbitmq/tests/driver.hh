// Drives source and backend as their lanes do, on the real clock.
#pragma once

#include "catch.hh"
#include "plugin_rig.hh"

#include <chrono>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

namespace rabbit_test {

using namespace std::chrono_literals;

inline const sluice_class& source_class() { return *sluice_module_v1()->classes[0]; }
inline const sluice_class& backend_class() { return *sluice_module_v1()->classes[1]; }

inline bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

inline std::string event(std::uint64_t number, const std::string& type = "speaker.onboarded",
                         const std::string& more = "") {
  return R"({"specversion":"1.0","id":")" + std::to_string(number) + R"(","source":"/test","type":")" + type + "\"" +
         more + R"(,"data":{"speaker_id":"s-)" + std::to_string(number) + R"("}})";
}
inline std::vector<std::string> events(std::uint64_t first, std::uint64_t count) {
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < count; ++i) all.push_back(event(first + i));
  return all;
}

inline std::uint64_t real_ns() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

/// Runs `step` until `done` says so. False when that took too long.
template <class Done, class Step>
bool repeat_until(Done done, Step step, std::chrono::seconds limit = 60s) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    step();
  }
  return true;
}

class Publisher {
 public:
  explicit Publisher(const std::string& config) : node(backend_class(), config, host) { host.clock_ns = real_ns(); }

  /// Takes in what the node takes; returns how many.
  std::uint32_t offer(const std::vector<std::string>& texts) {
    const rig::Batch batch(texts, next_ticket_);
    host.clock_ns = real_ns();
    const std::uint32_t taken = node.publish(batch);
    next_ticket_ += taken;
    return taken;
  }
  void poll(std::int32_t timeout_ms = 20) {
    host.clock_ns = real_ns();
    node.poll(timeout_ms);
  }
  template <class Done>
  bool poll_until(Done done) {
    return repeat_until(done, [&] { poll(); });
  }
  /// Offers all of it, again and again, until all is taken and answered.
  bool publish_all(const std::vector<std::string>& texts) {
    std::size_t offered = 0;
    return repeat_until([&] { return offered == texts.size() && answered() == next_ticket_; },
                        [&] {
                          const auto at = texts.begin() + static_cast<std::ptrdiff_t>(offered);
                          const auto count =
                              static_cast<std::ptrdiff_t>(std::min<std::size_t>(256, texts.size() - offered));
                          if (count > 0) offered += offer({at, at + count});
                          poll();
                        });
  }
  [[nodiscard]] std::size_t answered() const { return host.completions.size(); }
  /// Every ticket was completed, and none twice.
  [[nodiscard]] bool each_answered_once() const {
    std::set<std::uint64_t> tickets;
    for (const rig::Completion& done : host.completions) tickets.insert(done.ticket);
    return tickets.size() == host.completions.size() && tickets.size() == next_ticket_;
  }

  rig::Host host;
  rig::Node node;

 private:
  std::uint64_t next_ticket_ = 0;
};

/// One record that a source handed over, with what it needs to be settled.
struct Taken {
  std::string text;
  sluice_settlement settlement;
  std::uint32_t flags;
  std::vector<std::pair<std::string, std::string>> headers;

  [[nodiscard]] std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
};

class Taker {
 public:
  explicit Taker(const std::string& config) : node(source_class(), config, host) { host.clock_ns = real_ns(); }

  /// Polls and pulls once.
  void step(std::int32_t timeout_ms = 20) {
    host.clock_ns = real_ns();
    node.poll(timeout_ms);
    rig::Writer out;
    node.pull(out);
    for (std::uint32_t i = 0; i < out.count; ++i) {
      Taken& one = taken.emplace_back(Taken{out.text(i), {out[i].tag, SLUICE_WAS_DELIVERED, 0, {}}, out[i].flags, {}});
      for (std::uint32_t h = 0; h < out[i].header_count; ++h) {
        one.headers.emplace_back(sluice::view(out[i].headers[h].name), sluice::view(out[i].headers[h].value));
      }
    }
  }
  bool take(std::size_t count) {
    return repeat_until([&] { return taken.size() >= count; }, [&] { step(); });
  }
  void settle(std::size_t i, std::uint32_t outcome, std::int32_t code = 0) {
    taken.at(i).settlement.outcome = outcome;
    taken.at(i).settlement.code = code;
    node.settle({taken.at(i).settlement});
  }
  void settle_all(std::uint32_t outcome) {
    std::vector<sluice_settlement> all;
    for (Taken& one : taken) {
      one.settlement.outcome = outcome;
      all.push_back(one.settlement);
    }
    node.settle(all);
  }

  rig::Host host;
  rig::Node node;
  std::vector<Taken> taken;
};

}  // namespace rabbit_test
