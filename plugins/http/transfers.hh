// Many HTTP requests at a time on one thread: a pool of transfers over kept connections. It knows nothing of events.
// Every wait is inside wait(). Only its .cc, url.cc and failure.cc know libcurl.
#pragma once

#include "reply.hh"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice_http {

enum class HttpVersion : std::uint8_t { automatic, one, two };

struct TransferOptions {
  std::string url;
  std::vector<std::string> headers;  // "Name: value", sent with every request
  std::chrono::milliseconds timeout{5'000};
  HttpVersion version = HttpVersion::automatic;
  bool verify = true;
  std::string ca_file;
  std::uint32_t in_flight_max = 64;
};

/// Header lines of one request, each closed by a NUL. One buffer, reused.
class HeaderLines {
 public:
  void clear() {
    text_.clear();
    starts_.clear();
  }
  /// Opens a line; append to what it returns, then end().
  std::string& begin() {
    starts_.push_back(text_.size());
    return text_;
  }
  void end() { text_ += '\0'; }
  void add(std::string_view name, std::string_view value) {
    begin().append(name).append(": ").append(value);
    end();
  }
  [[nodiscard]] std::size_t size() const noexcept { return starts_.size(); }
  [[nodiscard]] char* line(std::size_t i) noexcept { return text_.data() + starts_[i]; }

 private:
  std::string text_;
  std::vector<std::size_t> starts_;
};

/// One request, and what it carries. Made by Transfers, reused for ever.
struct Transfer {
  std::uint64_t ticket = 0;  // of its first event
  std::uint32_t events = 0;
  std::string_view body;  // must stay until the transfer is finished
  std::string buffer;     // for a body that had to be put together
  HeaderLines headers;    // of this request alone
  std::uint32_t number = 0;
};

class Transfers {
 public:
  using Finish = std::function<void(Transfer&, const Reply&)>;

  /// Throws std::runtime_error when libcurl does not work at all.
  explicit Transfers(TransferOptions options);
  ~Transfers();

  /// A free transfer, its headers empty; null when all are under way.
  [[nodiscard]] Transfer* take();
  /// Starts it. The body is lent until it is finished.
  void send(Transfer& transfer);
  /// Gets what was sent onto the wire without waiting.
  void push();
  /// Waits for answers until one came, wake_fd is readable or the timeout has passed. `finish` hears of each answer and
  /// may send the next; after it the transfer is free again.
  void wait(int wake_fd, std::chrono::milliseconds timeout, const Finish& finish);
  /// Ends all that are under way; `each` hears of them.
  void cancel(const std::function<void(Transfer&)>& each);
  [[nodiscard]] std::uint32_t in_flight() const noexcept;

  /// Connects, agrees on TLS and goes again: no request. Empty when the far side is there, else why not.
  [[nodiscard]] std::string try_connect(std::chrono::milliseconds timeout) const;
  /// Starts OPTIONS with these headers beside the common ones; its answer's consent headers come by consent().
  void ask(const std::vector<std::string>& headers);
  struct Asked {
    bool done = false;
    std::string problem;  // not empty: no answer came
    std::string allowed_origin, allowed_rate;
  };
  /// What the last ask() brought, once.
  [[nodiscard]] Asked asked();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice_http
