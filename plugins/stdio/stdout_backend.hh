// Backend `stdout`: one line per event on standard output.
//
// A batch is put into one buffer and written when the reader has room; the lane waits in poll(), never in write(). Each
// event is completed once its last byte is written. A reader that has gone away (`sluice run … | head`) never comes
// back, so the node is broken from then on; a full disk behind a redirection is waited out.
#pragma once

#include <sluice/cpp/envelope.hh>
#include <sluice/cpp/plugin.hh>

#include <deque>
#include <string>

namespace stdio_plugin {

class StdoutBackend {
 public:
  StdoutBackend(sluice::HostView host, sluice::ConfigView config);
  ~StdoutBackend();
  StdoutBackend(const StdoutBackend&) = delete;
  StdoutBackend& operator=(const StdoutBackend&) = delete;

  void start(std::chrono::milliseconds timeout);
  sluice_status publish(sluice::BatchView batch, std::uint32_t& taken);
  sluice_status poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room);
  void flush() { write_some(); }
  void stop(std::chrono::milliseconds timeout);

 private:
  struct Line {
    std::uint64_t ticket;
    std::size_t end;  // in buffer_
  };
  void write_some();
  void complete_written();
  void cancel_all(const char* reason);

  sluice::HostView host_;
  sluice::Envelope format_;
  int fd_ = -1;
  bool may_block_ = false;  // then no more than one pipe page is written at a time
  bool gone_ = false;       // nobody will ever read again
  bool full_ = false;       // the disk behind a redirection is full
  std::string buffer_;
  std::size_t written_ = 0;
  std::deque<Line> lines_;
};

}  // namespace stdio_plugin
