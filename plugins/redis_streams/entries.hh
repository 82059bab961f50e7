// Entries on their way from the server to the host: the answer to XREADGROUP is taken apart while it comes in, and each
// entry costs one copy of its event and nothing else. Pure: client.cc brings the pieces.
#pragma once

#include "client.hh"
#include "stream_id.hh"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redis_streams {

/// Read, and not handed on yet. First in, first out; memory is used again once it is empty.
class EntryBuffer {
 public:
  struct Entry {
    StreamId id;
    std::size_t at = 0, length = 0;
    bool backlog = false;
  };
  void add(StreamId id, std::string_view event, bool backlog = false);
  [[nodiscard]] bool empty() const noexcept { return next_ == entries_.size(); }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size() - next_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size() - taken_bytes_; }
  [[nodiscard]] const Entry& front() const noexcept { return entries_[next_]; }
  [[nodiscard]] std::string_view event(const Entry& entry) const noexcept {
    return std::string_view(bytes_).substr(entry.at, entry.length);
  }
  void pop() noexcept;
  void clear() noexcept;
  /// Gives back the memory in front of what waits.
  void compact();
  /// The waiting entries, for who must know what is already here.
  [[nodiscard]] std::vector<StreamId> ids() const;

 private:
  std::string bytes_;
  std::vector<Entry> entries_;
  std::size_t next_ = 0, taken_bytes_ = 0;
};

/// One whole entry as fields and values in turn. The event is the value of `field`; an entry without it becomes a JSON
/// object of its fields, which is no event: the host rejects it, and a dead letter shows what stood there.
[[nodiscard]] std::pair<std::string, bool> event_of(const std::vector<std::string>& fields, std::string_view field);

/// The answer to one XREADGROUP.
class ReadAnswer final : public Tokens {
 public:
  explicit ReadAnswer(std::string field) : field_(std::move(field)) {}

  EntryBuffer buffer;
  /// Entries up to this id are marked as backlog; 0-0: none.
  StreamId backlog_end;

  // What became known since take(): everything of one read at a time.
  struct Seen {
    bool finished = false;
    std::string error;                         // of the server
    std::size_t entries = 0;                   // of the answers that finished
    std::size_t strange = 0;                   // entries without the field
    std::size_t backlog = 0;                   // up to backlog_end
    std::size_t largest_bytes = 0, bytes = 0;  // of events
    StreamId last, last_strange;
  };
  /// What was seen since the last call.
  [[nodiscard]] Seen take() { return std::exchange(seen_, Seen{}); }
  /// Forgets a half entry: the connection is lost.
  void reset();

  void list(int depth, int index, std::size_t members) override;
  void text(int depth, int index, std::string_view text) override;
  void nil(int, int) override {}
  void failed(std::string_view error) override { seen_.error.assign(error); }
  void finished() override { seen_.finished = true; }

 private:
  void end_of_entry();

  const std::string field_;
  Seen seen_;
  StreamId id_;
  std::size_t fields_left_ = 0;  // texts, names and values
  bool value_is_next_ = false, found_ = false;
  std::vector<std::string> others_;  // fields and values of an entry whose event has not come yet
};

}  // namespace redis_streams
