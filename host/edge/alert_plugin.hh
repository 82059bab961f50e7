// A node of a class that sends messages to people (ext/alert.h), as `sluice alert` drives it.
#pragma once

#include "core/ports.hh"
#include "edge/plugin_library.hh"
#include "edge/plugin_node.hh"

#include <memory>
#include <ostream>
#include <string>

namespace sluice {

class AlertPlugin {
 public:
  /// Throws SetupError when the class sends no alerts or refuses its configuration.
  AlertPlugin(const LoadedClass& loaded, const NodeSeat& seat, const NodeServices& services);
  ~AlertPlugin();
  AlertPlugin(const AlertPlugin&) = delete;
  AlertPlugin& operator=(const AlertPlugin&) = delete;

  [[nodiscard]] Status test(std::chrono::milliseconds timeout);
  /// A null batch ends it.
  [[nodiscard]] Status render(const sluice_batch* batch, std::ostream& out);
  [[nodiscard]] std::string silences_path();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace sluice
