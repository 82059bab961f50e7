// Something that stops a start. Thrown before any thread runs, never after.
#pragma once

#include "core/exit_code.hh"

#include <stdexcept>
#include <string>

namespace sluice {

class SetupError : public std::runtime_error {
 public:
  explicit SetupError(const std::string& text, ExitCode code = kBadConfig) : std::runtime_error(text), code_(code) {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

}  // namespace sluice
