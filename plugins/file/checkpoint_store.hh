// The checkpoint on disk: written beside and renamed over, so that a kill at any moment leaves the old one or the new
// one; locked, so that two processes do not undo each other's progress.
#pragma once

#include "checkpoint.hh"
#include "unique_fd.hh"

#include <string>
#include <vector>

namespace file_plugin {

class CheckpointStore {
 public:
  CheckpointStore(std::string path, bool fsync) : path_(std::move(path)), fsync_(fsync) {}

  /// Takes the lock and reads what is there. Throws sluice::Away when another process holds it, sluice::BadConfig when
  /// the place cannot be used or the text is damaged.
  [[nodiscard]] std::vector<CheckpointEntry> open();
  /// Throws std::system_error.
  void write(const std::vector<CheckpointEntry>& entries) const;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
  bool fsync_;
  UniqueFd lock_;
};

}  // namespace file_plugin
