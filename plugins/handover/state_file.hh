// The state file: a snapshot followed by one line per change, written before a batch goes on, so that a kill at any
// moment loses nothing; written anew when it has grown to several times what it says. One owner at a time.
#pragma once

#include "jobs.hh"

#include <cstdint>
#include <string>
#include <string_view>

namespace handover {

class StateFile {
 public:
  explicit StateFile(std::string path) : path_(std::move(path)) {}
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;
  ~StateFile();

  /// Takes the lock and replays what is there; half a last line is left out. Throws sluice::Away when another process
  /// holds it, sluice::BadConfig when the file is not one of these or cannot be used.
  void open(Jobs& jobs);
  /// Throws std::system_error; what could not be appended is made good by the next success.
  void append(std::string_view lines, const Jobs& jobs);

 private:
  void write_anew(const Jobs& jobs);

  std::string path_;
  int fd_ = -1;
  std::uint64_t bytes_ = 0, snapshot_bytes_ = 0;
  bool behind_ = false;  // an append failed: the file is written anew next time
};

}  // namespace handover
