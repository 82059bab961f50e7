// What the host offers, with C++ types. Cheap to copy; valid until the node is destroyed.
#pragma once

#include "../ext/metrics.h"
#include "../host.h"
#include "text.hh"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

/// Adds to a counter; one thread writes a cell. Null (no metrics, or no room for one more series) is ignored.
inline void add(sluice_cell* cell, std::uint64_t n = 1) noexcept {
  if (cell != nullptr) __atomic_store_n(&cell->count, cell->count + n, __ATOMIC_RELAXED);
}
/// Sets a gauge.
inline void set(sluice_cell* cell, double value) noexcept {
  if (cell != nullptr) __atomic_store(&cell->value, &value, __ATOMIC_RELAXED);
}

class HostView {
 public:
  explicit HostView(const sluice_host& host) noexcept : host_(&host) {}

  void wake() const noexcept { host_->wake(host_); }
  /// Delivered.
  void complete(std::uint64_t ticket, std::uint32_t count = 1) const noexcept {
    host_->complete(host_, ticket, count, nullptr);
  }
  /// Ended otherwise; `retry_after` 0 = the host's own back-off.
  void complete(std::uint64_t ticket, std::uint32_t count, sluice_status status, std::string_view reason,
                std::int32_t code = 0, std::chrono::milliseconds retry_after = {}) const noexcept {
    const sluice_result result{.size = sizeof(sluice_result),
                               .retry_after_ms = static_cast<std::uint32_t>(retry_after.count()),
                               .status = status,
                               .code = code,
                               .reason = str(reason)};
    host_->complete(host_, ticket, count, &result);
  }
  /// One status byte (SLUICE_OK, SLUICE_AGAIN …) per ticket.
  void complete_each(std::uint64_t ticket, std::uint32_t count, const std::uint8_t* status) const noexcept {
    host_->complete_each(host_, ticket, count, status);
  }
  void explain(std::uint32_t index, std::string_view reason) const noexcept {
    host_->explain(host_, index, str(reason));
  }
  [[nodiscard]] std::uint64_t now_ns() const noexcept { return host_->now_ns(host_); }
  [[nodiscard]] bool logs(std::int32_t level) const noexcept { return level >= host_->log_level(host_); }
  void log(std::int32_t level, std::string_view text) const noexcept { host_->log(host_, level, str(text)); }
  [[nodiscard]] std::string_view node() const noexcept { return host_->node == nullptr ? "" : host_->node; }

  /// A metric cell, or null when the host offers no metrics or the node's series bound is reached.
  [[nodiscard]] sluice_cell* cell(
      std::int32_t kind, std::string_view name, std::string_view help,
      std::initializer_list<std::pair<std::string_view, std::string_view>> labels = {}) const {
    const auto* metrics = static_cast<const sluice_metrics*>(host_->service(host_, SLUICE_METRICS));
    if (metrics == nullptr) return nullptr;
    std::vector<sluice_str> flat;
    for (const auto& [key, value] : labels) {
      flat.push_back(str(key));
      flat.push_back(str(value));
    }
    return metrics->cell(host_, kind, str(name), str(help), flat.data(), static_cast<std::uint32_t>(labels.size()));
  }
  [[nodiscard]] const sluice_host& raw() const noexcept { return *host_; }

 private:
  const sluice_host* host_;
};

}  // namespace sluice
