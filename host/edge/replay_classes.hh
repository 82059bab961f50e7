// Two small classes of the host, for `sluice replay`: time_window lets events of a span of time pass, dry_run is a
// backend that only counts.
#pragma once

#include <sluice/cpp/plugin.hh>

#include <cstdint>
#include <limits>

namespace sluice {

/// An inline consumer. An event without a time is not in any span: it is dropped when a bound is set.
class TimeWindow {
 public:
  static constexpr const char* kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "from_ns": { "description": "Events of this time or later pass: nanoseconds since 1970.", "type": "integer" },
    "to_ns": { "description": "Events before this time pass: nanoseconds since 1970.", "type": "integer" }
  }
})";

  TimeWindow(HostView, ConfigView config)
      : from_ns_(config.has("from_ns") ? config.integer("from_ns") : std::numeric_limits<std::int64_t>::min()),
        to_ns_(config.has("to_ns") ? config.integer("to_ns") : std::numeric_limits<std::int64_t>::max()) {}

  sluice_status process(BatchView batch, std::uint8_t* verdict, sluice_writer*, sluice_error&) const {
    for (std::uint32_t i = 0; i < batch.size(); ++i) {
      const sluice_event& event = batch[i].raw();
      const bool timed = (event.flags & SLUICE_HAS_TIME) != 0;
      const std::int64_t at = event.time_s * 1'000'000'000 + event.time_ns;
      if (!timed || at < from_ns_ || at >= to_ns_) verdict[i] = SLUICE_TO_DROP;
    }
    return SLUICE_OK;
  }

 private:
  std::int64_t from_ns_, to_ns_;
};

class DryRun {
 public:
  static constexpr const char* kSchema = R"({"type": "object", "additionalProperties": false, "properties": {}})";

  DryRun(HostView host, ConfigView) : host_(host) {}
  sluice_status publish(BatchView batch, std::uint32_t& taken) const {
    taken = batch.size();
    host_.complete(batch.ticket(), taken);
    return SLUICE_OK;
  }

 private:
  HostView host_;
};

}  // namespace sluice
