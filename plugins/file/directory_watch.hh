// Tells that something changed in a folder (inotify), so that new lines are read at once and not after poll_interval.
// It is a hint only: where it is missing or overflows, the interval still finds everything.
#pragma once

#include "unique_fd.hh"

#include <map>
#include <string>
#include <vector>

namespace file_plugin {

class DirectoryWatch {
 public:
  DirectoryWatch();

  /// Folders already watched are left alone; those that cannot be watched too.
  void add(const std::string& folder);
  /// Readable when something changed; -1 when there is no such service.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  struct Changes {
    std::vector<std::string> written;  // paths of files that were written to
    bool names = false;                // files came, went or were renamed
  };
  [[nodiscard]] Changes take();

 private:
  UniqueFd fd_;
  std::map<int, std::string> folders_;
};

}  // namespace file_plugin
