// The state on disk. An observer's events are nobody else's: what append() has returned from survives a power cut too,
// and the file is for its owner alone, since it names whom alerts go to.
#pragma once

#include <sluice/cpp/journal_file.hh>

#include <string>
#include <utility>

namespace alerting {

inline constexpr sluice::JournalFormat kStateFormat{.header = "sluice alerting state 1\n", .mode = 0600, .sync = true};

class Journal final : public sluice::JournalFile {
 public:
  /// An empty path: nothing is kept.
  explicit Journal(std::string path) : JournalFile(std::move(path), kStateFormat) {}
};

}  // namespace alerting
