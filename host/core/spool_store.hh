// Where a spool's bytes are: the seam between the spool and the disk. edge/spool_files.hh keeps them in a folder; tests
// and the simulator keep them in memory and let unsynced bytes vanish.
//
// Threads: one spool lane. Calls may block on the disk.
#pragma once

#include "core/spool_format.hh"
#include "core/under_way.hh"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

enum class SpoolFault : std::uint8_t { none, no_room, broken };

struct SpoolAnswer {
  SpoolFault fault = SpoolFault::none;
  std::string text;  // for people: what was tried, where, and what the system said

  [[nodiscard]] bool ok() const noexcept { return fault == SpoolFault::none; }
};

struct SpoolFileFacts {
  std::uint64_t first = 0;
  std::uint64_t bytes = 0;
};

/// What is there when a spool is opened.
struct SpoolListing {
  std::vector<SpoolFileFacts> segments;  // by number
  std::string cursor;                    // as written by write_cursor(); empty when there is none
  std::uint64_t rejected_bytes = 0;
};

class SpoolStore {
 public:
  virtual ~SpoolStore() = default;

  /// Becomes the owner. Refuses, by name, while somebody else is.
  [[nodiscard]] virtual SpoolAnswer open(SpoolListing& out) = 0;
  /// For people: where the spool is.
  [[nodiscard]] virtual std::string place() const = 0;

  /// Begins a segment; append() and sync() mean the newest one from then on.
  [[nodiscard]] virtual SpoolAnswer create(std::uint64_t first) = 0;
  /// All of the bytes at the end of the newest segment, or a fault: then some of them may stand there.
  [[nodiscard]] virtual SpoolAnswer append(std::string_view bytes) = 0;
  /// What was appended to the newest segment survives whatever happens from now on.
  [[nodiscard]] virtual SpoolAnswer sync() = 0;
  /// Bytes at `offset` of a segment; how many there were, -1 on a fault.
  [[nodiscard]] virtual std::int64_t read(std::uint64_t first, std::uint64_t offset, char* into, std::size_t size) = 0;
  /// Cuts a segment to `bytes`; with keep_tail what is cut off is put aside beside it.
  [[nodiscard]] virtual SpoolAnswer cut(std::uint64_t first, std::uint64_t bytes, bool keep_tail) = 0;
  [[nodiscard]] virtual SpoolAnswer remove(std::uint64_t first) = 0;
  /// Keeps a damaged segment under another name, for people: it is no part of the spool any more.
  [[nodiscard]] virtual SpoolAnswer set_aside(std::uint64_t first) = 0;
  /// Replaces the cursor whole. durable: also when the machine stops.
  [[nodiscard]] virtual SpoolAnswer write_cursor(std::string_view bytes, bool durable) = 0;
  /// One line to the end of the rejected events, durable when it returns.
  [[nodiscard]] virtual SpoolAnswer add_rejected(std::string_view line) = 0;
  /// Of an observer's queue, between open() and close(): what is shown now. Null when it cannot be kept.
  [[nodiscard]] virtual UnderWay* under_way() noexcept { return nullptr; }
  /// Lets go of everything.
  virtual void close() noexcept = 0;
};

}  // namespace sluice
