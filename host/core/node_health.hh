// Who hears what a node says of its far side between two calls (plugin_api ext/health.h): an observer's lane.
#pragma once

#include <sluice/types.h>

#include <string_view>

namespace sluice {

class NodeHealth {
 public:
  /// The far side is away (SLUICE_AWAY, and why), or there again (SLUICE_OK). Any thread.
  virtual void report(sluice_status status, std::string_view reason) noexcept = 0;

 protected:
  ~NodeHealth() = default;
};

}  // namespace sluice
