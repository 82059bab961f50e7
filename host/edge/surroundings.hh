// The process's environment, files and machine name, as a configuration may refer to them.
#pragma once

#include "core/interpolate.hh"

namespace sluice {

class ProcessSurroundings : public Surroundings {
 public:
  [[nodiscard]] std::optional<std::string> variable(const std::string& name) const override;
  [[nodiscard]] std::optional<std::string> file(const std::string& path, std::string& why) const override;
  [[nodiscard]] std::string host_name() const override;
};

}  // namespace sluice
