// "Event published" lines for those who grep for them: bounded per second, with a count of what was left out.
//
// Threads: one instance per backend lane.
#pragma once

#include "core/config.hh"
#include "core/ports.hh"
#include "run/line_limit.hh"

#include <sluice/event.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

class PublishLog {
 public:
  PublishLog(Log& log, std::string backend, std::uint32_t per_second)
      : log_(log), backend_(std::move(backend)), lines_(per_second) {}

  void published(const sluice_event& event, std::uint64_t latency_ns, std::uint64_t now_ns);
  void failed(const sluice_event& event, std::string_view reason, std::uint64_t now_ns);
  /// Says how many lines were left out, if any. At the end of a second, and at the end.
  void report_left_out() { say_left_out(lines_.left_out_so_far()); }

 private:
  [[nodiscard]] bool admit(std::uint64_t now_ns);
  void say_left_out(std::uint64_t count);

  Log& log_;
  std::string backend_;
  LineLimit lines_;
};

}  // namespace sluice
