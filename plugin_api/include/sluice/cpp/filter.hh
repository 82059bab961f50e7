// The host's filters as C++ sees them: compiled once, matched per event.
#pragma once

#include "../ext/filter.h"
#include "event_view.hh"
#include "guard.hh"
#include "host_view.hh"

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace sluice {

/// A filter of the host, for rules that pick events. Matching allocates nothing and takes no lock.
class HostFilter {
 public:
  /// json: a filter object, or an array of them that must all hold. Throws BadConfig with the reason, also when the
  /// host offers no filters.
  HostFilter(HostView host, std::string_view json)
      : filters_(static_cast<const sluice_filters*>(host.raw().service(&host.raw(), SLUICE_FILTERS))) {
    if (filters_ == nullptr) throw BadConfig("this host offers no filters (" SLUICE_FILTERS ")");
    std::array<char, 1024> text;
    sluice_error error{sizeof(sluice_error), static_cast<std::uint32_t>(text.size()), 0, 0, text.data()};
    sluice_filter* made = nullptr;
    if (filters_->compile(&host.raw(), str(json), &made, &error) != SLUICE_OK) {
      throw BadConfig(std::string(text.data(), error.len));
    }
    filter_ = {made, filters_->release};
  }

  [[nodiscard]] bool matches(EventView event) const { return filters_->matches(filter_.get(), &event.raw()) != 0; }

 private:
  const sluice_filters* filters_;
  std::shared_ptr<sluice_filter> filter_;
};

}  // namespace sluice
