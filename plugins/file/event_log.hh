// Backend `event_log`: appends events to a file of JSON lines.
//
// Lines are gathered while the host offers more, and written in blocks of up to 1 MiB when it has no more for now: many
// batches share a write, and with fsync: every_batch a flush. Events are completed once they are written (and flushed,
// where that was asked for). When the disk is full, nothing of the block stays in the file and its events are away:
// offered again later, at nobody's cost.
#pragma once

#include "gathered_lines.hh"
#include "letter_lines.hh"
#include "log_file.hh"

#include <sluice/cpp/envelope.hh>
#include <sluice/cpp/letter_watch.hh>
#include <sluice/cpp/plugin.hh>

#include <optional>
#include <string>

namespace file_plugin {

class EventLog {
 public:
  EventLog(sluice::HostView host, sluice::ConfigView config);
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  void start(std::chrono::milliseconds) {
    if (letter_watch_) letter_watch_->start();
    file_.open();
  }
  sluice_status publish(sluice::BatchView batch, std::uint32_t& taken);
  void flush() { write_gathered(); }
  sluice_status poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room);
  void stop(std::chrono::milliseconds timeout);

 private:
  enum class Sync : std::uint8_t { never, interval, every_batch };
  [[nodiscard]] static Sync sync_named(std::string_view name);
  bool write_gathered();
  void sync_where_due();
  void sync_now();

  sluice::HostView host_;
  const sluice::Envelope format_;
  const Sync sync_;
  const std::uint64_t sync_every_ns_;
  LogFile file_;
  GatheredLines lines_;             // not written yet
  std::uint64_t first_ticket_ = 0;  // of them
  std::uint32_t count_ = 0;
  bool unsynced_ = false;
  std::uint64_t sync_at_ns_ = 0;
  // Of a log that dead letters go to.
  std::optional<LetterLines> letters_;
  std::optional<sluice::LetterWatch> letter_watch_;
};

}  // namespace file_plugin
