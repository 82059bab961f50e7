#include "edge/spool_folders.hh"

#include "core/document.hh"
#include "core/problem.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace sluice {

namespace {
namespace fs = std::filesystem;

/// The folder itself, or the nearest above it that is there.
fs::path nearest(const fs::path& folder) {
  std::error_code error;
  fs::path at = fs::absolute(folder, error).lexically_normal();
  while (!at.empty() && at != at.root_path() && !fs::exists(fs::symlink_status(at, error))) at = at.parent_path();
  return at;
}

}  // namespace

FolderTrial try_folder(const std::string& folder) {
  std::error_code error;
  const fs::path wanted = fs::absolute(folder, error).lexically_normal();
  const fs::path there = nearest(folder);
  const bool is_itself = there == wanted || there / "" == wanted;
  if (const fs::file_status status = fs::status(there, error); !fs::is_directory(status)) {
    if (error && error == std::errc::permission_denied) return {there.string() + ": " + error.message(), true};
    return {there.string() + (fs::exists(status) ? " is no folder" : " leads nowhere"), false};
  }
  if (::faccessat(AT_FDCWD, there.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return {};
  const int why = errno;
  return {there.string() + (is_itself ? " cannot be written" : " lets nothing be made in it") + ": " +
              std::generic_category().message(why),
          why == EACCES || why == EPERM};
}

void try_spool_folders(const Config& config, Problems& problems) {
  for (const NodeConfig& node : config.nodes) {
    const SpoolPolicy& spool = node.delivery.spool;
    if (!spool.on()) continue;
    const FolderTrial trial = try_folder(spool.path);
    if (trial.obstacle.empty()) continue;
    const bool is_queue = node.kind == NodeKind::consumer;
    const Mark mark = spool.path_mark.line > 0 ? spool.path_mark : spool.mark.line > 0 ? spool.mark : node.mark;
    std::string text = "the " + std::string(is_queue ? "queue" : "spool") + " cannot be kept in " +
                       json_string(spool.path) + ": " + trial.obstacle;
    text += trial.for_us_only ? "; the user that the host runs as must be allowed to write there"
            : is_queue        ? "; name another folder, or say queue: lossy"
                              : "; name another folder";
    problems.push_back({node.file, mark, node.path + (is_queue ? ".queue.path" : ".delivery.spool.path"),
                        std::move(text), trial.for_us_only ? Severity::note : Severity::error});
  }
}

}  // namespace sluice
