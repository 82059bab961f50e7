// Drives nodes as their lanes do, against the far side.
#pragma once

#include "far_side.hh"
#include "plugin_rig.hh"

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace kafka_test {

using namespace std::chrono_literals;

inline const sluice_class& class_of(bool source) {
  const sluice_module& module = *sluice_module_v1();
  for (std::uint32_t i = 0; i < module.class_count; ++i) {
    if ((module.classes[i]->source != nullptr) == source) return *module.classes[i];
  }
  throw std::runtime_error("the module lacks a class");
}

inline std::uint64_t real_ns() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

inline std::string event(std::uint64_t number, const std::string& more = "") {
  return R"({"specversion":"1.0","id":")" + std::to_string(number) + R"(","source":"test","type":"com.example.test")" +
         (more.empty() ? "" : "," + more) + R"(,"data":{"document_id":"doc-)" + std::to_string(number) + R"("}})";
}
inline std::vector<std::string> events(std::uint64_t first, std::uint64_t count, const std::string& more = "") {
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < count; ++i) all.push_back(event(first + i, more));
  return all;
}

/// `more` are further members, e.g. R"("acks":1)".
inline std::string config(const std::string& topic, const std::string& more = "",
                          const std::string& servers = Broker::get().servers(), const char* key = "topic") {
  return R"({"bootstrap_servers":[")" + servers + R"("],")" + key + R"(":")" + topic + R"(")" +
         (more.empty() ? "" : "," + more) + "}";
}

/// Polls until `done` says so. False when that took too long.
inline bool until(const std::function<bool()>& done, const std::function<void()>& step,
                  std::chrono::seconds limit = 60s) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    step();
  }
  return true;
}

/// What start() says when it cannot; "" when it can.
inline std::string start_error(rig::Node& node) {
  try {
    node.start();
  } catch (const std::exception& e) {
    return e.what();
  }
  return {};
}
inline bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

class BackendDriver {
 public:
  explicit BackendDriver(const std::string& config) : node(class_of(false), config, host) { host.clock_ns = real_ns(); }
  std::uint32_t offer(const std::vector<std::string>& texts) {
    batches_.push_back(std::make_unique<rig::Batch>(texts, next_ticket_));  // events live until they are completed
    host.clock_ns = real_ns();
    const std::uint32_t taken = node.publish(*batches_.back());
    next_ticket_ += taken;
    return taken;
  }
  void poll(std::int32_t timeout_ms = 20) {
    host.clock_ns = real_ns();
    node.poll(timeout_ms);
  }
  bool poll_until(const std::function<bool()>& done) {
    return until(done, [&] { poll(); });
  }
  /// Offers all of it until all is taken and answered. False when that took too long.
  bool publish_all(const std::vector<std::string>& texts) {
    std::size_t offered = 0;
    return until([&] { return offered == texts.size() && answered() == next_ticket_; },
                 [&] {
                   if (offered < texts.size()) {
                     const auto from = texts.begin() + static_cast<std::ptrdiff_t>(offered);
                     offered += offer({from, from + std::min<std::ptrdiff_t>(256, texts.end() - from)});
                   }
                   poll(offered < texts.size() ? 0 : 20);
                 });
  }
  [[nodiscard]] std::size_t answered() {
    const std::lock_guard lock(host.mutex);
    return host.completions.size();
  }
  [[nodiscard]] bool each_answered_once() {
    std::set<std::uint64_t> tickets;
    for (const rig::Completion& done : host.completions) tickets.insert(done.ticket);
    return tickets.size() == host.completions.size() && tickets.size() == next_ticket_;
  }
  [[nodiscard]] std::string last_reason() { return host.completions.empty() ? "" : host.completions.back().reason; }

  rig::Host host;
  rig::Node node;

 private:
  std::uint64_t next_ticket_ = 0;
  std::vector<std::unique_ptr<rig::Batch>> batches_;
};

/// What came in, and what of it was settled.
class SourceDriver {
 public:
  struct Record {
    std::string text, position;
    std::uint64_t tag = 0;
    std::uint32_t flags = 0;
    bool has_value = true;
    std::map<std::string, std::string> attributes;
  };

  explicit SourceDriver(const std::string& config) : node(class_of(true), config, host) { host.clock_ns = real_ns(); }

  /// One round of a lane: what came in is appended to `records`.
  void step(std::int32_t timeout_ms = 10, std::uint32_t room = 256) {
    host.clock_ns = real_ns();
    node.poll(timeout_ms, room);
    if (room == 0) return;
    host.clock_ns = real_ns();
    rig::Writer out(room);
    if (node.pull(out) != SLUICE_OK) return;
    for (std::uint32_t i = 0; i < out.count; ++i) {
      Record made{
          out.text(i), std::string(sluice::view(out[i].position)), out[i].tag, out[i].flags, out[i].ptr != nullptr, {}};
      for (std::uint32_t h = 0; h < out[i].header_count; ++h) {
        made.attributes.emplace(sluice::view(out[i].headers[h].name), sluice::view(out[i].headers[h].value));
      }
      records.push_back(std::move(made));
    }
    if (settles) settle(SLUICE_WAS_DELIVERED, settled, records.size());
  }
  /// Records first..last of `records`.
  void settle(std::uint32_t outcome, std::size_t first, std::size_t last) {
    std::vector<sluice_settlement> all;
    for (std::size_t i = first; i < last; ++i) all.push_back({records[i].tag, outcome, 0, {}});
    if (!all.empty()) node.settle(all);
    settled = std::max(settled, last);
  }
  bool receive(std::size_t count) {
    return until([&] { return records.size() >= count; }, [&] { step(); });
  }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (const Record& record : records) all.push_back(record.text);
    return all;
  }

  rig::Host host;
  rig::Node node;
  std::vector<Record> records;
  std::size_t settled = 0;
  bool settles = true;  // each record at once
};

}  // namespace kafka_test
