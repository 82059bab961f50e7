// Source `rabbitmq`: the messages of one queue, acknowledged when they are settled.
//
// What could not be delivered is tried again after `retry_delay`, never at once: a quorum queue takes it back and
// counts (x-delivery-count); a classic queue cannot count, so the message stays here, unacknowledged, and is handed
// over again. Where there is a dead-letter exchange it goes there after `max_retries`.
#pragma once

#include "binding.hh"
#include "client.hh"
#include "deliveries.hh"
#include "options.hh"

#include <sluice/cpp/plugin.hh>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace rabbitmq {

class Source final : private Frames {
 public:
  Source(sluice::HostView host, sluice::ConfigView config);
  ~Source();

  void start(std::chrono::milliseconds timeout);
  sluice_status pull(sluice_writer& out);
  void settle(sluice::SettlementsView all);
  sluice_status poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room);
  void probe(std::chrono::milliseconds timeout);
  void stop(std::chrono::milliseconds timeout);
  [[nodiscard]] std::string summary() const;

 private:
  // Frames.
  void delivered(Message& message) override;
  void counted(std::uint32_t messages) override;

  void connect(std::chrono::milliseconds timeout);
  void declare(Connection& connection) const;
  /// False: no room, the place stays the first.
  bool hand_over(Deliveries::Place& place, sluice_writer& out);
  void settle_one(const sluice_settlement& settlement);
  void settle_once(Deliveries::Place& place, const sluice_settlement& settlement);
  void ask_what_is_there(Connection& connection, std::chrono::milliseconds timeout);
  [[nodiscard]] bool read_once() const;
  void not_delivered(Deliveries::Place& place, const sluice_settlement& settlement);
  void reject(Deliveries::Place& place);
  void send_acks();
  void release_held();
  void ask_depth_when_due();
  bool exchange_frames();
  void lost(const std::string& why);
  [[nodiscard]] std::chrono::milliseconds until_next_duty() const;
  [[nodiscard]] std::uint64_t now_ms() const noexcept { return host_.now_ns() / 1'000'000; }

  sluice::HostView host_;
  const SourceOptions options_;
  std::unique_ptr<Connection> connection_;  // null while the server is away
  Deliveries deliveries_;
  std::vector<Reading> readings_;  // of the records of one pull: they must live until the next call
  bool stopping_ = false;
  // With read_once: messages that were there at the start and are not handed over, and what was.
  bool counted_ = false;
  std::uint64_t left_ = 0, handed_ = 0, settled_ = 0;
  std::uint64_t next_depth_ms_ = 0;
  std::uint64_t dead_lettered_ = 0, requeued_ = 0;
  sluice_cell *depth_, *pending_, *redelivered_cell_, *requeued_cell_, *dead_lettered_cell_;
};

}  // namespace rabbitmq
