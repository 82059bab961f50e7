// Source `stdin`: records from standard input. Bytes are read straight into the host's memory and handed out from
// there; only the unfinished end of a read is carried over to the next one.
//
// Standard input cannot be asked again, so nothing is acknowledged to anyone (SLUICE_CANNOT_HOLD): what is left
// undelivered when the host stops goes to the host's dead-letter file.
#pragma once

#include "framer.hh"

#include <sluice/cpp/plugin.hh>

#include <memory>
#include <vector>

namespace stdio_plugin {

class StdinSource {
 public:
  StdinSource(sluice::HostView host, sluice::ConfigView config);

  void start(std::chrono::milliseconds timeout);
  sluice_status pull(sluice_writer& out);
  void settle(sluice::SettlementsView) {}
  sluice_status poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room);
  void stop(std::chrono::milliseconds) { stopped_ = true; }

 private:
  /// Memory for one read: the host's where the carried bytes fit, our own (lent with the records) for long ones.
  struct Room {
    char* bytes;
    std::size_t cap;
    std::unique_ptr<char[]> own;  // null: the host's
  };
  [[nodiscard]] Room room_for(sluice_writer& out) const;
  [[nodiscard]] std::size_t read_some(char* to, std::size_t cap);
  void hand_out(sluice_writer& out, const char*& at, const char* end, const char* base, bool lent);
  void carry(const char* at, const char* end);
  void show_lag();

  sluice::HostView host_;
  Framer framer_;
  const std::size_t record_bytes_max_;
  std::vector<char> carried_;
  std::uint64_t carried_at_ = 0;       // the stream offset of carried_[0]
  std::uint64_t record_bytes_ = 1024;  // a running mean: how much to read for one pull
  std::string file_name_;              // "dev:inode:" when standard input is a file, else empty
  std::vector<char> positions_;
  bool more_carried_ = false;  // carried_ may hold complete records: the last pull stopped at the writer's cap
  bool eof_ = false, stopped_ = false;
  sluice_cell* lag_;
  std::uint64_t lag_at_ns_ = 0;
};

}  // namespace stdio_plugin
