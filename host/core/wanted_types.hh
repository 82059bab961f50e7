// The types that an observer said it can use (ext/wants.h): patterns as in `types:`, or every type. Source lanes
// remember by type id what they said (run/observer_picks.hh), so that an event costs them one look into a table. Pure.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

class WantedTypes {
 public:
  /// No patterns: every type. More than limits::kWantedTypes are not compared either: then it gets every type, too.
  explicit WantedTypes(std::vector<std::string> patterns = {});

  [[nodiscard]] bool everything() const noexcept { return patterns_.empty(); }
  [[nodiscard]] bool match(std::string_view type) const noexcept;
  [[nodiscard]] const std::vector<std::string>& patterns() const noexcept { return patterns_; }

 private:
  std::vector<std::string> patterns_;
};

/// What one observer wants now: a reload changes it while source lanes read it. Any thread.
class ObserverWants {
 public:
  explicit ObserverWants(WantedTypes types) : types_(std::move(types)) {}

  /// Changes with every change; a reader that has seen it has the same types.
  [[nodiscard]] std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }
  [[nodiscard]] WantedTypes types() const;
  void replace(WantedTypes types);
  /// These as well, until replace().
  void widen(const WantedTypes& more);

 private:
  mutable std::mutex mutex_;
  WantedTypes types_;
  std::atomic<std::uint64_t> version_{1};
};

}  // namespace sluice
