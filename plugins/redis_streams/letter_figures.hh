// Size and oldest age of a stream that dead letters go to: whoever keeps them must see that they pile up. On a
// connection of its own, asked now and then.
#pragma once

#include "client.hh"
#include "options.hh"

#include <sluice/cpp/host_view.hh>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace redis_streams {

class LetterFigures {
 public:
  /// `endpoint` outlives it. A stream that is named per event has no figures.
  LetterFigures(sluice::HostView host, const Endpoint& endpoint, std::string stream);

  /// Asks when it is time to. What cannot be asked now is asked next time.
  void show(std::uint64_t now_ms, std::chrono::milliseconds timeout);
  [[nodiscard]] std::uint64_t due_ms() const noexcept { return due_ms_; }

 private:
  const Endpoint& endpoint_;
  const std::string stream_;
  std::unique_ptr<Connection> connection_;  // null while the server is away
  std::uint64_t due_ms_ = 0;
  sluice_cell *letters_, *age_;
};

}  // namespace redis_streams
