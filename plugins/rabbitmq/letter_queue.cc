#include "letter_queue.hh"

#include <exception>

namespace rabbitmq {
namespace {

/// Nobody reads while nobody asks: a connection that must be heard of in between would be cut.
Access without_heartbeat(Access access) {
  access.heartbeat = std::chrono::seconds(0);
  return access;
}

}  // namespace

sluice::LetterFacts LetterQueue::ask(std::chrono::milliseconds timeout) {
  try {
    if (connection_ == nullptr) connection_ = std::make_unique<Connection>(without_heartbeat(access_), timeout);
    const std::uint32_t letters = connection_->depth_of(queue_);
    const auto now = std::chrono::steady_clock::now();
    if (letters == 0) empty_at_ = now;
    return {letters, std::chrono::duration<double>(now - empty_at_).count()};
  } catch (const std::exception&) {
    connection_.reset();  // a new one is tried next time
    throw;
  }
}

}  // namespace rabbitmq
