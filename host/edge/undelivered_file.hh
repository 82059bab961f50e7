// Where events end up that could not be delivered and whose source cannot be asked again: a JSONL file, one event a
// line, ready to be fed in once more.
#pragma once

#include "core/ports.hh"

#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

namespace sluice {

class UndeliveredFile {
 public:
  UndeliveredFile(std::string path, Log& log) : path_(std::move(path)), log_(log) {}
  UndeliveredFile(const UndeliveredFile&) = delete;
  UndeliveredFile& operator=(const UndeliveredFile&) = delete;
  ~UndeliveredFile();

  /// Appends; the file is made with the first event. Any thread.
  void write(std::string_view event_json, std::string_view reason) noexcept;
  [[nodiscard]] std::uint64_t written() const noexcept { return written_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
  Log& log_;
  std::mutex mutex_;
  std::FILE* file_ = nullptr;
  bool failed_ = false;
  std::uint64_t written_ = 0;
};

}  // namespace sluice
