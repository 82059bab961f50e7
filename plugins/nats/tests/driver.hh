// Drives the backend as a lane does: offers what was not taken, polls, until everything has been answered.
#pragma once

#include "far_side.hh"

#include "plugin_rig.hh"

#include <set>
#include <string>
#include <vector>

namespace nats_test {

inline std::string event(std::uint64_t number) {
  return R"({"specversion":"1.0","id":")" + std::to_string(number) +
         R"(","source":"/test","type":"com.example.test","data":{"document_id":"doc-)" + std::to_string(number) +
         R"("}})";
}
inline std::vector<std::string> events(std::uint64_t first, std::uint64_t count) {
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < count; ++i) all.push_back(event(first + i));
  return all;
}

/// `more` are further members, e.g. R"("window":4)".
inline std::string config(const std::string& url, const std::string& more = "") {
  return R"({"servers":[")" + url + R"("])" + (more.empty() ? "" : "," + more) + "}";
}

inline std::uint64_t real_ns() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

class Driver {
 public:
  explicit Driver(const std::string& config) : node(*sluice_module_v1()->classes[0], config, host) {
    host.clock_ns = real_ns();
  }

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
  /// Offers all of it, again and again, until all is taken and answered. False when that took too long.
  bool publish_all(const std::vector<std::string>& texts, std::chrono::seconds limit = 30s) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    std::size_t offered = 0;
    while (answered() < next_ticket_ || offered < texts.size()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      if (offered < texts.size()) {
        const std::size_t end = std::min(texts.size(), offered + 256);
        offered += offer(
            {texts.begin() + static_cast<std::ptrdiff_t>(offered), texts.begin() + static_cast<std::ptrdiff_t>(end)});
      }
      poll();
    }
    return true;
  }
  /// Polls until `done` says so. False when that took too long.
  template <class Done>
  bool poll_until(Done done, std::chrono::seconds limit = 30s) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      poll();
    }
    return true;
  }
  /// The latest answers that were not "delivered", for the failure's text.
  [[nodiscard]] std::string complaints() const {
    std::string all;
    for (const rig::Completion& done : host.completions) {
      if (done.status != SLUICE_OK) all += std::to_string(done.status) + " " + done.reason + "\n";
    }
    return all;
  }
  [[nodiscard]] std::size_t answered() const { return host.completions.size(); }
  /// Every ticket below next_ticket_ was completed, and none twice.
  [[nodiscard]] bool each_answered_once() const {
    std::set<std::uint64_t> tickets;
    for (const rig::Completion& done : host.completions) tickets.insert(done.ticket);
    return tickets.size() == host.completions.size() && tickets.size() == next_ticket_ &&
           (tickets.empty() || *tickets.rbegin() == next_ticket_ - 1);
  }

  rig::Host host;
  rig::Node node;

 private:
  std::uint64_t next_ticket_ = 0;
};

inline bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace nats_test
