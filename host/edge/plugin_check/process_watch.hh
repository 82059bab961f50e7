// What belongs to the whole process and not to a plugin: signal handlers, locale, working folder, environment, umask.
// Looked at before and after a call; what changed is named.
#pragma once

#include <array>
#include <csignal>
#include <string>
#include <vector>

namespace sluice::check {

class ProcessState {
 public:
  [[nodiscard]] static ProcessState now();
  /// "the handler of SIGPIPE, the umask"; empty when nothing changed.
  [[nodiscard]] std::string changed_until(const ProcessState& later) const;

 private:
  std::array<void*, 32> handlers_{};
  std::string locale_, folder_, umask_;
  std::vector<std::string> environment_;
};

/// Threads of this process, and open file descriptors.
[[nodiscard]] std::size_t thread_count();
[[nodiscard]] std::size_t descriptor_count();

}  // namespace sluice::check
