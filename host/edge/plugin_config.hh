// A node's canonical JSON as the table of getters that plugins read it through (config.h).
#pragma once

#include <sluice/config.h>

#include <memory>
#include <string>
#include <string_view>

namespace sluice {

/// Valid as long as it lives; the host keeps it until create() has returned. One thread.
class PluginConfig {
 public:
  /// Throws SetupError when the text is not JSON: it was made by the host, so that is our fault.
  explicit PluginConfig(std::string json);
  ~PluginConfig();
  PluginConfig(const PluginConfig&) = delete;
  PluginConfig& operator=(const PluginConfig&) = delete;

  [[nodiscard]] const sluice_config& table() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice
