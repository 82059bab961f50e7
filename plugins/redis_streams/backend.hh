// Backend `redis_streams`: each event becomes one entry of a stream (XADD), pipelined over one connection. The same
// class serves as a store of keys (sluice.key_store/1).
//
// Answers come in the order of the commands and tickets rise by one, so the events under way are always one range of
// tickets, [first_open_, next_): an answer completes the lowest, and nothing is kept per event.
#pragma once

#include "client.hh"
#include "encode.hh"
#include "key_store.hh"
#include "letter_figures.hh"
#include "options.hh"

#include <sluice/cpp/plugin.hh>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace redis_streams {

using std::chrono::milliseconds;

class Backend final : private Answers {
 public:
  Backend(sluice::HostView host, sluice::ConfigView config);

  void start(milliseconds timeout);
  sluice_status publish(sluice::BatchView batch, std::uint32_t& taken);
  void flush();
  sluice_status poll(int wake_fd, milliseconds timeout, std::uint32_t room);
  void probe(milliseconds timeout);
  void stop(milliseconds timeout);

  void lookup(std::span<const sluice_str> keys, std::uint8_t* present, milliseconds timeout);
  void record(std::span<const sluice_str> keys, milliseconds ttl, milliseconds timeout);
  void claim(std::span<const sluice_str> keys, std::span<const sluice_str> owners, std::uint8_t* taken,
             milliseconds ttl, milliseconds timeout);
  void release(std::span<const sluice_str> keys, std::span<const sluice_str> owners, milliseconds timeout);

 private:
  // Answers.
  void added(std::uint32_t count) override;
  void counted() override;
  void refused(std::string_view error) override;

  void connect(milliseconds timeout);
  [[nodiscard]] std::uint64_t in_flight() const noexcept { return next_ - first_open_; }
  [[nodiscard]] std::uint32_t free_places() const noexcept;
  [[nodiscard]] bool is_too_large(std::string_view event) const noexcept {
    return event.size() > options_.event_bytes_max;
  }
  bool refuse_too_large(sluice::BatchView batch);
  /// Sends and reads what can be without waiting. True when something was completed.
  bool exchange();
  [[nodiscard]] bool flooded() const noexcept;
  void lost(const std::string& why);
  void trim_when_due();
  [[nodiscard]] milliseconds until_next_duty() const noexcept;
  [[nodiscard]] bool answer_is_overdue() const noexcept;
  [[nodiscard]] std::uint64_t now_ms() const noexcept { return host_.now_ns() / 1'000'000; }

  sluice::HostView host_;
  const BackendOptions options_;
  const AddCommand add_;
  KeyStore keys_;                         // on a connection of its own, made when it is first asked
  std::optional<LetterFigures> letters_;  // of a stream that dead letters go to
  std::optional<sluice::LetterWatch> letter_watch_;
  std::unique_ptr<Connection> connection_;  // null while the server is away
  std::string commands_;                    // of one publish; kept for its memory

  std::uint64_t first_open_ = 0, next_ = 0;  // tickets under way
  std::uint64_t sent_up_to_ = 0;             // tickets below it have been given to the socket, perhaps more
  bool partly_sent_ = false;                 // … perhaps more
  std::uint64_t output_bytes_ = 0;           // at most this much waits to be sent
  std::uint64_t last_progress_ms_ = 0;       // of what is owed; see options_.timeout

  bool trim_owed_ = false;  // an XTRIM is under way; its answer comes when first_open_ is trim_place_
  std::uint64_t trim_place_ = 0;
  std::uint64_t next_trim_ms_ = 0;
  std::int64_t server_ahead_ms_ = 0;  // the server's clock minus ours
  bool trims_by_age_ = true;          // false on a server that is too old for it
};

}  // namespace redis_streams
