// Cuts a stream of text into records: one per line, and the elements of JSON arrays one by one.
//
// An array may stand on one line or be spread over many (what `jq -s` and editors write); its elements are handed out
// as they close, so an array of any length needs room for one element only. An array begins where a line starts with
// '[' followed by an object, a ']' or the end of the line; every other line is a record as it stands, so that text such
// as "[INFO] started" stays one record. What breaks an array is handed on as a record of its own, for the host to
// reject with a reason, and lines count again from there.
//
// Pure: no I/O. The caller owns the bytes and shows the unread part again, with more behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace stdio_plugin {

class Framer {
 public:
  Framer(bool arrays, std::size_t record_bytes_max) : arrays_(arrays), record_bytes_max_(record_bytes_max) {}

  enum class Step : std::uint8_t {
    record,  // `record` holds one
    more,    // nothing complete before `end`; what is left from `at` must be shown again
  };
  /// Moves `at` behind what it used up. `last`: no more bytes follow, so the rest counts as complete.
  [[nodiscard]] Step next(const char*& at, const char* end, bool last, std::string_view& record);

  [[nodiscard]] bool in_array() const noexcept { return place_ != Place::line; }
  /// Records that were cut because they were longer than the bound.
  [[nodiscard]] std::uint64_t cut() const noexcept { return cut_; }

 private:
  enum class Place : std::uint8_t { line, first, value, comma };  // in an array: what may come next
  enum class Found : std::uint8_t { record, more, again };

  Found line_step(const char*& at, const char* end, bool last, std::string_view& record);
  Found array_step(const char*& at, const char* end, bool last, std::string_view& record);
  Found rest_of_line(const char*& at, const char* end, bool last, std::string_view& record);
  Found cut_here(const char*& at, std::string_view& record);

  const bool arrays_;
  const std::size_t record_bytes_max_;
  Place place_ = Place::line;
  bool skipping_ = false;  // the rest of a line whose beginning was handed on cut
  std::uint64_t cut_ = 0;
};

}  // namespace stdio_plugin
