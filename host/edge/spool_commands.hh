// `sluice spool ls|fsck|cat`: looking into spools from outside, also while a host has them open. Nothing is changed.
#pragma once

#include "edge/command_line.hh"

#include <iosfwd>

namespace sluice {

/// The folders that the command names, itself or by its configuration; one that holds spools instead of being one (of a
/// list that makes a lane per element) stands for them. Throws SetupError for what is no spool.
[[nodiscard]] std::vector<std::string> spool_folders(const SpoolCommand& command);

/// Returns kClean; for fsck 1 when something is wrong.
[[nodiscard]] int spool_command(const SpoolCommand& command, std::ostream& out, std::ostream& err);

}  // namespace sluice
