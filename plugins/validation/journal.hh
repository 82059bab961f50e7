// The state file: a snapshot followed by one line per change. Appended before a batch goes on, so a kill at any moment
// loses nothing that was passed on; written anew when it has grown to several times what it says.
#pragma once

#include "runs.hh"

#include <cstdint>
#include <string>
#include <string_view>

namespace validation {

class Journal {
 public:
  explicit Journal(std::string path) : path_(std::move(path)) {}
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  /// Takes the lock and replays what is there; half a last line is left out. Throws sluice::Away when another process
  /// holds it, sluice::BadConfig when the file is not a state file or cannot be used.
  void open(Runs& runs);
  /// Throws std::system_error; what could not be appended is made good by the next success.
  void append(std::string_view lines, const Runs& runs);

 private:
  void write_anew(const Runs& runs);
  void lock() const;

  std::string path_;
  int fd_ = -1;
  std::uint64_t bytes_ = 0, snapshot_bytes_ = 0;
  bool behind_ = false;  // an append failed: the file is written anew next time
};

}  // namespace validation
