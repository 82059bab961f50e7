// A spool's folder as a reader from outside sees it: no lock, no change.
#pragma once

#include "core/spool_cursor.hh"
#include "core/spool_format.hh"
#include "core/spool_store.hh"

#include <functional>
#include <string>
#include <vector>

namespace sluice {

struct SpoolView {
  std::string folder;
  std::vector<SpoolFileFacts> segments;
  SpoolCursor cursor;
  bool cursor_there = false, cursor_good = false;
  std::vector<std::string> aside;  // names of what was damaged and kept
  std::string owner;               // the process that has it open; empty when none has

  [[nodiscard]] std::string segment_path(const SpoolFileFacts& segment) const {
    return folder + "/" + segment_name(segment.first);
  }
};

/// True when the folder looks like a spool's.
[[nodiscard]] bool is_spool(const std::string& folder);
/// Throws SetupError when the folder cannot be read.
[[nodiscard]] SpoolView look_at_spool(const std::string& folder);

/// Everything in one segment, in its order.
struct SegmentSight {
  std::function<void(const SpoolRecord&)> record = [](const SpoolRecord&) {};
  std::function<void(std::uint64_t from, std::uint64_t to)> damage = [](std::uint64_t, std::uint64_t) {};
};
enum class HeaderState : std::uint8_t { good, damaged, other_version };
/// Throws SetupError when it cannot be read.
HeaderState walk_segment(const SpoolView& spool, const SpoolFileFacts& segment, const SegmentSight& sight);

}  // namespace sluice
