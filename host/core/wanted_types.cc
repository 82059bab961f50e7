#include "core/wanted_types.hh"

#include "core/filter.hh"
#include "core/limits.hh"

#include <algorithm>
#include <utility>

namespace sluice {

WantedTypes::WantedTypes(std::vector<std::string> patterns) {
  if (patterns.size() <= limits::kWantedTypes) patterns_ = std::move(patterns);
}

bool WantedTypes::match(std::string_view type) const noexcept {
  return everything() || std::any_of(patterns_.begin(), patterns_.end(),
                                     [&](const std::string& pattern) { return type_matches(pattern, type); });
}

WantedTypes ObserverWants::types() const {
  const std::lock_guard lock(mutex_);
  return types_;
}

void ObserverWants::replace(WantedTypes types) {
  const std::lock_guard lock(mutex_);
  types_ = std::move(types);
  version_.fetch_add(1, std::memory_order_release);
}

void ObserverWants::widen(const WantedTypes& more) {
  const std::lock_guard lock(mutex_);
  if (types_.everything()) return;
  std::vector<std::string> both;
  if (!more.everything()) {
    both = types_.patterns();
    both.insert(both.end(), more.patterns().begin(), more.patterns().end());
  }
  types_ = WantedTypes(std::move(both));
  version_.fetch_add(1, std::memory_order_release);
}

}  // namespace sluice
