// Backend `nats`: each event becomes one message on a subject, many under way at a time over one connection.
//
// With JetStream the stream answers each message on a subject below our inbox that ends in the event's ticket: what is
// under way is a range of tickets with a mark for those that were answered out of turn, and nothing else is kept per
// event. Core NATS answers nothing: a message to ourselves is sent behind the events, and since a server handles what
// one connection sends in its order, everything before it has been handled when it comes back. The next one follows
// when that one is back, or when much was sent since: a flood is answered in few messages, a single event at once.
#pragma once

#include "answer.hh"
#include "client.hh"
#include "desk.hh"
#include "options.hh"

#include <sluice/cpp/letter_watch.hh>
#include <sluice/cpp/plugin.hh>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nats {

class Backend {
 public:
  Backend(sluice::HostView host, sluice::ConfigView config);

  void start(milliseconds timeout);
  sluice_status publish(sluice::BatchView batch, std::uint32_t& taken);
  sluice_status poll(int wake_fd, milliseconds timeout, std::uint32_t room);
  void probe(milliseconds timeout);
  void stop(milliseconds timeout);

 private:
  void connect(milliseconds timeout);
  /// Sends one event under `ticket`, or completes it when it can never be sent.
  void send(const sluice::EventView& event, std::uint64_t ticket);
  [[nodiscard]] bool find_subject(const sluice::EventView& event, std::string& why);
  void make_headers(const sluice::EventView& event);
  [[nodiscard]] std::string_view payload_of(const sluice::EventView& event) const;
  void ask_for_answer();
  void take_answers();
  void answered(const Answer& answer, std::uint64_t ticket);
  void nobody_took();
  void passed_on(std::uint64_t up_to);
  void delivered(std::uint64_t ticket);
  void mark_done(std::uint64_t ticket);
  /// Nothing is under way any more.
  void forget_open() noexcept;
  /// Completes [run_start_, run_end_) as delivered.
  void deliver_run();
  /// The connection is gone, or good for nothing: what is under way ends with `status`.
  void lost(const std::string& why, sluice_status status = SLUICE_TIMEOUT);

  [[nodiscard]] std::uint64_t in_flight() const noexcept { return next_ - first_open_; }
  [[nodiscard]] std::uint32_t free_places() const noexcept;
  [[nodiscard]] std::size_t place(std::uint64_t ticket) const noexcept { return ticket & (done_.size() - 1); }
  [[nodiscard]] bool is_open(std::uint64_t ticket) const noexcept {
    return ticket >= first_open_ && ticket < next_ && done_[place(ticket)] == 0;
  }
  [[nodiscard]] std::uint64_t now_ms() const noexcept { return host_.now_ns() / 1'000'000; }

  sluice::HostView host_;
  const BackendOptions options_;
  std::unique_ptr<Connection> connection_;  // null while the server is away

  std::uint64_t first_open_ = 0, next_ = 0;  // tickets under way
  std::uint32_t one_by_one_ = 0;             // so many events go alone, to find the one whose subject nobody takes
  std::vector<std::uint8_t> done_;           // ring, a power of two: answered, though an earlier one is not
  std::uint64_t done_ahead_ = 0;             // how many of those there are
  std::uint64_t asked_ = 0;                  // core: what is below this is answered by a message on its way
  std::uint64_t run_start_ = 0, run_end_ = 0;
  bool stream_gone_ = false;
  std::uint64_t output_bytes_ = 0;  // at most this much waits to be sent
  std::uint64_t last_progress_ms_ = 0;

  // Kept for their memory.
  std::string subject_, filled_, reply_, message_id_;
  Headers headers_;
  Message message_;
  sluice_cell* duplicates_ = nullptr;

  // Of a stream that dead letters go to.
  [[nodiscard]] sluice::LetterFacts letters(milliseconds timeout);
  std::unique_ptr<Desk> desk_;  // the watch's own
  std::optional<sluice::LetterWatch> letter_watch_;
};

}  // namespace nats
