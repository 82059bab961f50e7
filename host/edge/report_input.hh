// The lines of an event log, plain or gzipped, from a file or from standard input. Offsets and sizes do not matter
// here: it is read once, from its beginning to what is its end now.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sluice {

class ReportInput {
 public:
  static constexpr const char* kStandardInput = "-";

  /// Throws SetupError that names the file.
  explicit ReportInput(const std::string& path);
  ReportInput(ReportInput&&) noexcept;
  ~ReportInput();

  /// The next line without its end. One that is longer than `bytes_max` is cut behind it, but read to its end. False at
  /// the end of the input.
  [[nodiscard]] bool next(std::string& line, std::size_t bytes_max);
  /// Why the input ended before its time, in words for people; empty when it did not.
  [[nodiscard]] const std::string& error() const noexcept;

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace sluice
