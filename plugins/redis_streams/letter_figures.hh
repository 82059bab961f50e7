// Size and oldest age of a stream that dead letters go to, on a connection of its own: for the thread that asks now and
// then.
#pragma once

#include "client.hh"
#include "options.hh"

#include <sluice/cpp/letter_watch.hh>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace redis_streams {

class LetterFigures {
 public:
  /// `endpoint` outlives it. A stream that is named per event has no figures.
  LetterFigures(const Endpoint& endpoint, std::string stream) : endpoint_(endpoint), stream_(std::move(stream)) {}

  /// Throws Away.
  [[nodiscard]] sluice::LetterFacts ask(std::chrono::milliseconds timeout);

 private:
  const Endpoint& endpoint_;
  const std::string stream_;
  std::unique_ptr<Connection> connection_;  // null while the server is away
};

}  // namespace redis_streams
