// Source `nats_core`: a plain subscription, alone or in a queue group. Nobody keeps what is published while no one
// listens, and nothing can be asked for again: what must not be lost belongs into a stream (source `nats`).
#pragma once

#include "client.hh"
#include "headers.hh"
#include "options.hh"

#include <sluice/cpp/plugin.hh>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>

namespace nats {

class CoreSource {
 public:
  CoreSource(sluice::HostView host, sluice::ConfigView config);

  void start(milliseconds timeout);
  sluice_status pull(sluice_writer& out);
  void settle(const sluice_settlement&) {}
  sluice_status poll(int wake_fd, milliseconds timeout, std::uint32_t room);
  void probe(milliseconds timeout);
  void stop(milliseconds timeout);

 private:
  void connect(milliseconds timeout);
  [[nodiscard]] bool add_record(sluice_writer& out);
  void count_dropped();

  sluice::HostView host_;
  const CoreSourceOptions options_;
  std::unique_ptr<Connection> connection_;  // null while the server is away
  Message kept_;                            // taken, and there was no room for it
  std::uint64_t dropped_ = 0;               // of this connection, as told
  bool stopping_ = false;
  std::deque<Attributes> attributes_;  // of the records of one pull
  Headers headers_;
  sluice_cell *waiting_cell_, *dropped_cell_;
};

}  // namespace nats
