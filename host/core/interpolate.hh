// ${NAME}, ${NAME:-default} and ${file:/path} in text values, after parsing: they change values, never the structure.
// Pure: what a name or a file stands for comes from outside.
#pragma once

#include "core/document.hh"

#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// The world that a configuration may refer to.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  [[nodiscard]] virtual std::optional<std::string> variable(const std::string& name) const = 0;
  /// The text of a file without its last line end; nothing when it cannot be read, and why.
  [[nodiscard]] virtual std::optional<std::string> file(const std::string& path, std::string& why) const = 0;
  /// The machine's name: what ${HOSTNAME} means where the shell has not exported it.
  [[nodiscard]] virtual std::string host_name() const = 0;
};

/// Replaces every reference in value and what is below it. `$${` stands for a plain `${`. A value is done once only:
/// what a reference brought in is never looked at again.
/// A value that came from a file, or from a variable whose name says key, token, secret or password, is marked secret.
void interpolate(Value& value, const Surroundings& surroundings, const std::string& path, Problems& problems);

}  // namespace sluice
