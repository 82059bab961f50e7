// Source `redis_range`: reads a stream once, from its beginning (or from where the last run was) to what is its end at
// the start, without a consumer group: nothing that production reads with is touched. For replays, and for streams of
// dead letters, whose entries it deletes as they are delivered.
#pragma once

#include "client.hh"
#include "options.hh"
#include "stream_id.hh"

#include <sluice/cpp/plugin.hh>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace redis_streams {

class RangeSource {
 public:
  RangeSource(sluice::HostView host, sluice::ConfigView config);
  ~RangeSource();
  RangeSource(const RangeSource&) = delete;
  RangeSource& operator=(const RangeSource&) = delete;

  void start(std::chrono::milliseconds timeout);
  sluice_status pull(sluice_writer& out);
  /// In the order of the stream.
  void settle(sluice::SettlementsView all);
  /// Reads the next page: pull() only hands over.
  sluice_status poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room);

 private:
  struct Entry {
    StreamId id;
    std::string event;
  };

  void read_page();
  void delete_entries();
  void write_checkpoint();

  sluice::HostView host_;
  const RangeOptions options_;
  std::unique_ptr<Connection> connection_;
  StreamId next_, end_;  // the next to read, the last there was at the start
  bool all_read_ = false, told_lost_ = false;
  std::uint64_t next_connect_ns_ = 0;
  std::deque<Entry> waiting_;       // read, not handed over; one page at most
  std::deque<StreamId> in_flight_;  // handed over, not settled, in order
  std::uint64_t first_tag_ = 0;     // of in_flight_.front()
  StreamId settled_, written_;      // everything up to here is done; what the file says
  bool held_ = false;               // something was not delivered: the checkpoint stays before it
  std::uint64_t written_ns_ = 0;
  std::vector<std::string> to_delete_;
  std::string positions_;
};

}  // namespace redis_streams
