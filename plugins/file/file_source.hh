// Source `file`: follows files line by line and remembers what is settled.
//
//   poll()  finds files (globs), notices growth, rotation and truncation, writes the checkpoint
//   pull()  hands out lines of one file, straight from the read into the host's memory; never waits
//   settle() moves each file's settled offset on, in the order of its lines; one undelivered line stops it there
//
// An undelivered line comes again: once everything handed out is settled, the file is read again from the settled
// offset, after a growing pause. With stop_at_end that is tried three times, then the line stays for the next run.
#pragma once

#include "checkpoint_store.hh"
#include "directory_watch.hh"
#include "tailed_file.hh"

#include <sluice/cpp/plugin.hh>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace file_plugin {

class FileSource {
 public:
  FileSource(sluice::HostView host, sluice::ConfigView config);
  ~FileSource();
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  void start(std::chrono::milliseconds timeout);
  /// Bytes left in the files, when they are read to their end and no further; 0 when that says nothing.
  [[nodiscard]] std::uint64_t input_bytes() const;
  sluice_status pull(sluice_writer& out);
  void settle(sluice::SettlementsView all);
  sluice_status poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room);
  void stop(std::chrono::milliseconds);

 private:
  struct Open {
    std::unique_ptr<TailedFile> file;
    std::uint64_t slot;
  };
  void look_for_files(bool first_time);
  void found(const std::string& path, bool first_time);
  void add(std::unique_ptr<TailedFile> file);
  void begin(TailedFile& file, bool first_time);
  void check(std::size_t index);
  void check_all();
  void take_notices();
  void close_finished();
  [[nodiscard]] bool readable(const TailedFile& file) const;
  [[nodiscard]] bool reads_last_line(const TailedFile& file) const;
  [[nodiscard]] bool all_read() const;
  [[nodiscard]] bool finished(const TailedFile& file) const;
  void rewind_where_due();
  void write_checkpoint();
  void report(const std::string& path, const std::string& problem);
  [[nodiscard]] std::uint64_t unsettled_bytes(bool& all_known) const;
  void show_lag();

  sluice::HostView host_;
  const std::vector<std::string> globs_;
  const bool sequential_;  // one file after the other
  const bool from_end_, stop_at_end_;
  const std::uint64_t look_every_ns_, write_every_ns_;
  const std::size_t line_bytes_max_;
  std::optional<CheckpointStore> store_;
  std::vector<CheckpointEntry> known_;  // from the checkpoint, not open now
  DirectoryWatch watch_;
  std::vector<Open> files_;
  std::vector<TailedFile*> slots_;  // by the high bits of a tag
  std::vector<std::uint64_t> free_slots_;
  std::size_t turn_ = 0;
  std::uint64_t look_at_ns_ = 0, write_at_ns_ = 0;
  bool dirty_ = false;  // something settled since the checkpoint was written
  std::uint64_t settled_since_write_ = 0;
  bool write_failed_ = false;
  bool stopped_ = false;
  std::set<std::string> reported_;  // paths whose problem was logged and lasts
  std::vector<char> positions_;
  sluice_cell* lag_;
  std::uint64_t lag_at_ns_ = 0;
};

}  // namespace file_plugin
