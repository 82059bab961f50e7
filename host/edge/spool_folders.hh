// Whether a spool, or an observer's durable queue, could be kept where a configuration puts it, for `check`. Nothing is
// made and nothing is locked: a host may be running over the same folder.
#pragma once

#include "core/config.hh"

#include <string>

namespace sluice {

/// What keeps a folder from being made or written; nothing: it can be.
struct FolderTrial {
  std::string obstacle;
  bool for_us_only = false;  // permission that this process lacks: another user may have it
};
[[nodiscard]] FolderTrial try_folder(const std::string& folder);

/// A folder that can never be one is an error; one that only this user may not write is a note, since the host may run
/// as another.
void try_spool_folders(const Config& config, Problems& problems);

}  // namespace sluice
