// Backend `rabbitmq`: each event becomes one message in an exchange, confirmed by the server in bulk.
#pragma once

#include "client.hh"
#include "confirm_window.hh"
#include "encode.hh"
#include "letter_queue.hh"
#include "options.hh"

#include <sluice/cpp/letter_watch.hh>
#include <sluice/cpp/plugin.hh>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace rabbitmq {

using std::chrono::milliseconds;

class Backend final : private Frames {
 public:
  Backend(sluice::HostView host, sluice::ConfigView config);

  void start(milliseconds timeout);
  sluice_status publish(sluice::BatchView batch, std::uint32_t& taken);
  sluice_status poll(int wake_fd, milliseconds timeout, std::uint32_t room);
  void probe(milliseconds timeout);
  void stop(milliseconds timeout);

 private:
  // Frames.
  void confirmed(std::uint64_t number, bool multiple) override;
  void refused(std::uint64_t number, bool multiple) override;
  void returned(std::uint16_t code, std::string_view text, const Message& message) override;
  void blocked(std::string_view why) override;
  void unblocked() override;

  void connect(milliseconds timeout);
  void declare(Connection& connection) const;
  [[nodiscard]] std::uint32_t free_places() const noexcept;
  void publish_some(sluice::BatchView batch, std::uint32_t& taken);
  /// Publishes or rejects one event. False: the connection was lost with it.
  bool publish_one(const sluice::EventView& event, std::uint64_t ticket);
  bool exchange_frames();
  void lost(const std::string& why);
  void give_up(sluice_status status, const std::string& reason);
  [[nodiscard]] milliseconds patience() const noexcept;
  [[nodiscard]] bool answer_is_overdue() const noexcept;
  [[nodiscard]] std::uint64_t now_ms() const noexcept { return host_.now_ns() / 1'000'000; }

  sluice::HostView host_;
  const BackendOptions options_;
  std::unique_ptr<Connection> connection_;  // null while the server is away
  ConfirmWindow window_;
  Encoder encoder_;
  Outgoing message_;  // kept for its memory
  std::uint64_t message_bytes_max_;
  std::uint64_t unchecked_bytes_ = 0;  // written since the socket was last asked whether it takes more
  std::uint64_t last_progress_ms_ = 0;
  bool full_ = false;        // the socket takes no more for now
  std::string blocked_why_;  // not empty: the server takes no messages

  // Of the queue that dead letters end up in.
  std::optional<LetterQueue> letters_;
  std::optional<sluice::LetterWatch> letter_watch_;
};

}  // namespace rabbitmq
