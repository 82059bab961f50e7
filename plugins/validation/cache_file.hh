// Fetched schemas on disk, so that a restart while the registry is away finds them. Written anew as a whole, beside and
// then in place, flushed to disk: it holds the old state or the new one.
#pragma once

#include "registry_answer.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace validation {

struct KeptSchema {
  std::string path;
  FetchedSchema fetched;
  std::int64_t fetched_unix_s = 0;
};

/// One line of the file, with its end.
[[nodiscard]] std::string line_of(const KeptSchema& kept);
/// False for a line that is none.
[[nodiscard]] bool read_line(std::string_view line, KeptSchema& kept);

class CacheFile {
 public:
  /// `registry`: ids mean something else in another one, so the file of another is not used.
  CacheFile(std::string path, std::string registry) : path_(std::move(path)), registry_(std::move(registry)) {}
  ~CacheFile();
  CacheFile(const CacheFile&) = delete;
  CacheFile& operator=(const CacheFile&) = delete;

  /// Takes the lock and reads what is there. `complaint` says what was left out. Throws sluice::Away when another
  /// process holds it, sluice::BadConfig when it is no such file or cannot be written.
  [[nodiscard]] std::vector<KeptSchema> open(std::string& complaint);
  /// Lines of line_of(). Throws std::system_error.
  void write(std::string_view lines);

 private:
  std::string path_, registry_;
  int fd_ = -1;
};

}  // namespace validation
