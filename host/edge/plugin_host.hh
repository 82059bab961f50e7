// The host as one node sees it: its sluice_host table, and what stands behind the calls in it.
//
// A table is never freed, only retired: a plugin whose thread calls once more after destroy() hits memory that is still
// there, is counted as having broken the contract, and changes nothing. (A few hundred bytes per node ever created.)
#pragma once

#include "core/ports.hh"
#include "edge/plugin_metrics.hh"

#include <sluice/host.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

/// What all nodes share. Outlives them.
struct NodeServices {
  Log& log;
  const Clock& clock;
  PluginMetrics& metrics;
};

class OnceKeys;

class PluginHost : public sluice_host {
 public:
  /// Ways to break the contract that only this side can see. Each is counted, and logged the first time.
  enum class Breach : std::uint8_t {
    too_early,
    after_destroy,
    text_too_long,
    bad_result,
    unknown_status,
    threw,
    kinds
  };

  /// Lives until the process ends.
  [[nodiscard]] static PluginHost& make(const char* module, std::string node, std::uint32_t replica,
                                        std::uint32_t replicas, const NodeServices& services);

  /// Before create(); outlives the node. Null: the service is not offered.
  void offer(OnceKeys* keys) noexcept { once_keys_.store(keys, std::memory_order_release); }
  void attach(NodeEvents* events) noexcept { events_.store(events, std::memory_order_release); }
  /// After destroy(): from now on the node is not heard.
  void retire() noexcept;

  void breach(Breach what, std::string_view where) noexcept;
  [[nodiscard]] std::uint64_t breaches() const noexcept { return breaches_.load(std::memory_order_relaxed); }
  [[nodiscard]] const char* node_name() const noexcept { return name_.c_str(); }
  [[nodiscard]] const char* module_name() const noexcept { return module_; }

 private:
  PluginHost(const char* module, std::string node, std::uint32_t replica, std::uint32_t replicas,
             const NodeServices& services);
  static PluginHost& of(const sluice_host* table) noexcept;
  /// Null, and a breach, when the node speaks too early or too late.
  NodeEvents* listener(std::string_view call) noexcept;

  static const void* get_service(const sluice_host*, const char* id);
  static sluice_status on_recorded(const sluice_host*, const sluice_str* values, std::uint32_t count,
                                   std::uint8_t* recorded, std::int32_t timeout_ms, sluice_error*);
  static sluice_cell* get_cell(const sluice_host*, std::int32_t kind, sluice_str name, sluice_str help,
                               const sluice_str* labels, std::uint32_t label_count);
  static void on_report(const sluice_host*, sluice_status status, sluice_str reason);
  static void on_wake(const sluice_host*);
  static void on_complete(const sluice_host*, std::uint64_t ticket, std::uint32_t count, const sluice_result*);
  static void on_complete_each(const sluice_host*, std::uint64_t ticket, std::uint32_t count, const std::uint8_t*);
  static void on_explain(const sluice_host*, std::uint32_t index, sluice_str reason);
  static std::uint64_t on_now_ns(const sluice_host*);
  static std::int32_t on_log_level(const sluice_host*);
  static void on_log(const sluice_host*, std::int32_t level, sluice_str text);

  const char* module_;
  std::string name_;
  Log* log_;
  const Clock* clock_;
  PluginMetrics* metrics_;
  std::atomic<NodeEvents*> events_{nullptr};
  std::atomic<OnceKeys*> once_keys_{nullptr};
  std::atomic<bool> retired_{false};
  std::atomic<std::uint64_t> breaches_{0};
  std::atomic<std::uint32_t> told_{0};  // one bit per kind of breach
};

/// One line, valid UTF-8, at most `bytes_max`: what a plugin wrote goes into logs and JSON.
[[nodiscard]] std::string clean_text(std::string_view text, std::size_t bytes_max);

}  // namespace sluice
