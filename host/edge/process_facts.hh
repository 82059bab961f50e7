// What the system says of this process: the standard process_… metrics.
#pragma once

#include <cstdint>

namespace sluice {

struct ProcessFacts {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0, virtual_bytes = 0;
  std::uint64_t open_fds = 0, max_fds = 0;
  double start_time_seconds = 0;  // since the Unix epoch
};

/// What cannot be read is 0.
[[nodiscard]] ProcessFacts read_process_facts();

}  // namespace sluice
