// How many messages a queue of dead letters holds, and since when it has not been empty. AMQP does not say how old a
// message is, and looking at the first one is no harmless question: a quorum queue counts it as a delivery and gives
// the message up after some of them. So the age is how long ago this host last saw the queue empty, or since when it
// looks.
#pragma once

#include "access.hh"
#include "client.hh"

#include <sluice/cpp/letter_watch.hh>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace rabbitmq {

class LetterQueue {
 public:
  /// `access` outlives it.
  LetterQueue(const Access& access, std::string queue) : access_(access), queue_(std::move(queue)) {}

  /// Throws Away.
  [[nodiscard]] sluice::LetterFacts ask(std::chrono::milliseconds timeout);

 private:
  const Access& access_;
  const std::string queue_;
  std::unique_ptr<Connection> connection_;  // null while the server is away
  std::chrono::steady_clock::time_point empty_at_ = std::chrono::steady_clock::now();
};

}  // namespace rabbitmq
