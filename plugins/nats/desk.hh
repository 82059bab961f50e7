// JetStream's one-time questions, on a connection of its own that waits for each answer. Everything throws sluice::Away
// when the server cannot be asked or says no.
#pragma once

#include "options.hh"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nats {

using std::chrono::milliseconds;

class Desk {
 public:
  struct Consumer {
    milliseconds ack_wait{};
    std::uint64_t pending = 0, ack_pending = 0;
    std::string filter;
    bool can_be_pulled = false;  // with explicit acknowledgement
  };
  Desk(const Address& address, milliseconds timeout);
  ~Desk();

  /// Nothing: there is no such stream.
  [[nodiscard]] std::optional<std::vector<std::string>> subjects_of(const std::string& stream);
  /// Of the newest message that it has taken; 0: none.
  [[nodiscard]] std::uint64_t last_sequence(const std::string& stream);
  struct Held {
    std::uint64_t messages = 0;
    std::int64_t oldest_unix_ns = 0;  // when the oldest came in, by the server's clock; 0: there is none
  };
  /// What the stream holds. Throws Away also when there is no such stream.
  [[nodiscard]] Held held_by(const std::string& stream);
  /// False: another stream has a subject of it.
  [[nodiscard]] bool make_stream(const StreamOptions& wanted);
  /// Nothing: there is no such consumer.
  [[nodiscard]] std::optional<Consumer> find_consumer(const std::string& stream, const std::string& durable);
  [[nodiscard]] Consumer make_consumer(const ConsumerOptions& wanted);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nats
