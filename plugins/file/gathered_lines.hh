// Lines that wait for one write. An event that can be written as it stands is not copied: events that lie behind one
// another in memory, a newline between them (so they do when a file was their source), are one piece of that memory.
// The rest is copied into a buffer.
//
// The pieces point into the events' memory: clear() before they are completed.
#pragma once

#include <sluice/cpp/envelope.hh>
#include <sluice/cpp/event_view.hh>

#include <sys/uio.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace file_plugin {

class GatheredLines {
 public:
  GatheredLines();

  /// Makes the event's line and returns its bytes; add() takes it in.
  [[nodiscard]] std::size_t prepare(const sluice::EventView& event, sluice::Envelope format);
  void add();
  [[nodiscard]] bool empty() const noexcept { return bytes_ == 0; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// Everything, to be written; valid until the next call of anything else. The caller may change it.
  [[nodiscard]] std::vector<iovec>& pieces();
  void clear() noexcept;

 private:
  struct Piece {
    const char* memory = nullptr;  // null: in the buffer, at `offset`
    std::size_t offset = 0, length = 0;
  };

  void add_in_place(std::string_view json);
  void add_buffered(std::string_view text);
  void end_line();

  std::string_view in_place_;  // the line that is prepared, without its newline; no data: it is in made_
  std::string made_;
  std::vector<Piece> pieces_;
  std::string buffer_;
  std::vector<iovec> out_;
  std::size_t bytes_ = 0;      // of all lines, newlines included
  bool newline_owed_ = false;  // the last piece lies in an event's memory and still needs its last newline
};

}  // namespace file_plugin
