// The state on disk: a snapshot, then a line per change. What append() has returned from survives a kill and a power
// cut; written anew when it has grown to several times what it says.
#pragma once

#include "groups.hh"

#include <cstdint>
#include <string>
#include <string_view>

namespace alerting {

class Journal {
 public:
  /// An empty path: nothing is kept.
  explicit Journal(std::string path) : path_(std::move(path)) {}
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Takes the lock and plays back what is there. Throws sluice::Away when another process has it, sluice::BadConfig
  /// when it is not such a file.
  void open(Groups& groups);
  /// On disk when it returns. Throws std::system_error; then the next call writes the whole anew.
  void append(const std::string& lines, const Groups& groups);
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  void write_anew(const Groups& groups);

  const std::string path_;
  int fd_ = -1;
  std::uint64_t bytes_ = 0, snapshot_bytes_ = 0;
  bool behind_ = false;
};

}  // namespace alerting
