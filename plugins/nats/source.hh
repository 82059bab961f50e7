// Source `nats`: a durable pull consumer of a JetStream stream. Messages are asked for when the host has room for them,
// acknowledged when they are settled, and reported as in work while that takes long.
//
// The library's own fetch blocks until its answer is there, which a lane may not; so the requests are written here, as
// JetStream's published protocol has them (one small message each), and their answers come in with everything else.
#pragma once

#include "client.hh"
#include "fetches.hh"
#include "headers.hh"
#include "held.hh"
#include "options.hh"

#include <sluice/cpp/plugin.hh>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nats {

class Source {
 public:
  Source(sluice::HostView host, sluice::ConfigView config);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  void start(milliseconds timeout);
  sluice_status pull(sluice_writer& out);
  void settle(sluice::SettlementsView all);
  sluice_status poll(int wake_fd, milliseconds timeout, std::uint32_t room);
  void probe(milliseconds timeout);
  void stop(milliseconds timeout);

 private:
  void connect(milliseconds timeout);
  /// Sees to it that pull() finds it, and the host hears of it.
  void lost(std::string why);
  [[nodiscard]] bool add_record(sluice_writer& out, Place& place);

  void take_messages();
  void take_word(const Message& message);
  void take_facts(std::string_view body);
  /// With stop_at_end. False: it came after the start, and another run shall have it.
  [[nodiscard]] bool note_towards_end(const Message& message);
  [[nodiscard]] bool is_read_to_the_end() const noexcept;
  void fetch_when_room(std::uint32_t room);
  void answer(const std::string& reply, std::string_view word);
  // With delete_delivered.
  void erase(const std::string& reply);
  void ask_to_erase(std::uint64_t sequence);
  void take_erasure(const Message& message, std::string_view digits);
  void refuse_waiting();
  void report_work();
  void ask_for_facts();
  [[nodiscard]] milliseconds until_next_duty() const noexcept;
  [[nodiscard]] std::uint64_t now_ms() const noexcept { return host_.now_ns() / 1'000'000; }

  sluice::HostView host_;
  const SourceOptions options_;
  std::unique_ptr<Connection> connection_;  // null while the server is away
  std::string lost_;                        // why, until pull() has told it
  std::string next_subject_, facts_subject_, erase_subject_, again_word_;

  Held held_;
  Fetches fetches_;
  std::uint64_t not_before_ms_ = 0;  // no request earlier: the server said no to the last one
  bool one_alone_ = false;           // the next message is longer than max_bytes
  std::vector<std::pair<std::string, std::string_view>> owed_;  // acknowledgements for when the server is back
  std::map<std::uint64_t, std::string> erasing_;                // by sequence: how to acknowledge it once it is deleted
  milliseconds ack_wait_{};
  std::uint64_t next_report_ms_ = 0, next_facts_ms_ = 0;
  bool stopping_ = false;

  // stop_at_end: the stream's last message at the start; whether all up to it were handed out once; how many come
  // again.
  std::optional<std::uint64_t> end_at_;
  bool all_handed_out_ = false;
  std::uint64_t awaited_ = 0;

  std::deque<Attributes> attributes_;  // of the records of one pull
  Headers headers_;
  sluice_cell *lag_, *pending_, *redelivered_, *terminated_, *returned_;
};

}  // namespace nats
