// Between the two halves of the server: what its connections share, and one connection. Not for others: Boost's types
// are in here.
#pragma once

#include "server.hh"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <vector>

namespace sluice_http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;  // not the type-erased one: it costs on every operation
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

inline std::uint64_t nanoseconds(std::chrono::milliseconds time) noexcept {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count());
}

class Connection;

struct ServerState {
  ServerState(ServerOptions with, Reception& at) : options(std::move(with)), reception(at) {}

  void accept();
  void sweep();
  void arm(int fd);
  void run_ready();
  [[nodiscard]] std::uint64_t after(std::chrono::milliseconds time) const {
    return reception.now_ns() + nanoseconds(time);
  }

  ServerOptions options;
  Reception& reception;
  std::vector<Connection*> open;                            // before io: the last connections end while io goes
  asio::io_context io{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};  // one thread at a time: no locks inside
  Acceptor acceptor{io};
  Descriptor wake{io};
  int wake_fd = -1;
  bool wake_armed = false, woken = false, stopping = false, accepting = false, full_told = false;
  std::uint64_t swept_ns = 0;
  std::uint64_t reading_bytes = 0;  // of bodies that are being read
};

/// One connection: reads a request, has it judged, waits for the answer, writes it, reads the next. Requests that
/// arrive meanwhile (pipelining) stay in the buffer. Lives as long as an operation or the desk holds it.
class Connection : public Caller, public std::enable_shared_from_this<Connection> {
 public:
  Connection(ServerState& server, Socket socket) : server_(server), socket_(std::move(socket)) {
    place_ = server_.open.size();
    server_.open.push_back(this);
    error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override {
    server_.reading_bytes -= counted_bytes_;
    server_.open[place_] = server_.open.back();
    server_.open[place_]->place_ = place_;
    server_.open.pop_back();
    if (!server_.accepting && !server_.stopping) server_.accept();
  }

  void begin() { next_request(); }
  void answer(Answer answer) override;
  void sweep(std::uint64_t now_ns);
  void close_if_idle() {
    if (phase_ == Phase::idle) close();
  }
  void close() {
    phase_ = Phase::closed;
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  enum class Phase { idle, head, body, waiting, writing, lingering, closed };

  void next_request();
  void read();
  void advance();
  [[nodiscard]] bool parse();
  void judge_head();
  void complete();
  void bad_request(error_code error);
  void refuse(Answer answer);
  void write_continue();
  void written();
  void linger();
  void discard();
  [[nodiscard]] bool count_body();

  ServerState& server_;
  Socket socket_;
  std::size_t place_ = 0;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  RequestHead head_;
  std::optional<Answer> refusal_;  // decided by the head, said once the short body is read
  Phase phase_ = Phase::idle;
  bool judged_ = false, reading_ = false, keep_ = true;
  std::uint64_t deadline_ns_ = 0;
  std::uint64_t counted_bytes_ = 0;
  std::size_t lingered_bytes_ = 0;
};

}  // namespace sluice_http
