// A writer as the host offers it, with room for a chosen number of records and bytes; both end at a page that is not
// there.
#pragma once

#include "edge/plugin_check/guarded_batch.hh"

#include <sluice/writer.h>

#include <cstring>
#include <string>

namespace sluice::check {

class RecordRoom {
 public:
  RecordRoom(std::uint32_t records, std::size_t bytes)
      : records_("the writer's list of records", records * sizeof(sluice_record)),
        bytes_("the writer's bytes", bytes + SLUICE_PADDING),
        writer_{} {
    writer_.size = sizeof writer_;
    writer_.stride = sizeof(sluice_record);
    writer_.cap = records;
    writer_.records = records_.data();
    writer_.bytes = reinterpret_cast<std::uint8_t*>(bytes_.data());
    writer_.bytes_cap = bytes;
    writer_.grow = [](sluice_writer*, std::uint32_t, std::uint64_t) -> std::int32_t { return 0; };
    reset();
  }
  void reset() {
    std::memset(records_.data(), 0, std::size_t{writer_.cap} * sizeof(sluice_record));
    writer_.count = 0;
    writer_.bytes_len = 0;
    writer_.release = nullptr;
    writer_.release_arg = nullptr;
  }
  [[nodiscard]] sluice_writer& writer() noexcept { return writer_; }
  [[nodiscard]] const sluice_record& record(std::uint32_t i) const noexcept { return *SLUICE_RECORD(&writer_, i); }
  [[nodiscard]] std::uint32_t size() const noexcept { return writer_.count; }
  /// What is wrong with what was written; empty when all is well. Reads every byte of it.
  [[nodiscard]] std::string fault(bool lends_allowed) const {
    if (writer_.count > writer_.cap) {
      return std::to_string(writer_.count) + " records were written into room for " + std::to_string(writer_.cap);
    }
    for (std::uint32_t i = 0; i < writer_.count; ++i) {
      const sluice_record& one = record(i);
      const std::string who = "record " + std::to_string(i);
      if (one.ptr == nullptr && one.len > 0) return who + " has a length and no bytes";
      const auto* begin = writer_.bytes;
      const bool inside = one.ptr >= begin && one.ptr + one.len <= begin + writer_.bytes_cap;
      if (lends_allowed && !inside && writer_.release == nullptr && one.len > 0) {
        return who + " lies neither in the writer's bytes nor in lent memory (release is null)";
      }
      volatile std::uint8_t sum = 0;
      for (std::uint64_t b = 0; b < one.len; ++b) sum = static_cast<std::uint8_t>(sum + one.ptr[b]);
    }
    return {};
  }

 private:
  GuardedPages records_, bytes_;
  sluice_writer writer_;
};

}  // namespace sluice::check
