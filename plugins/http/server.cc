#include "server.hh"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <unistd.h>
#include <stdexcept>
#include <vector>

namespace sluice_http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;  // not the type-erased one: it costs on every operation
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

constexpr std::size_t kReadBytes = 8 * 1024;
constexpr std::size_t kReadBodyBytes = 64 * 1024;
constexpr std::size_t kUnreadBodyBytes =
    64 * 1024;  // a refused body up to this is read, so that the connection lives on
constexpr std::size_t kLingerBytes = 4 * 1024 * 1024;
constexpr std::chrono::milliseconds kLinger{2'000};
constexpr std::chrono::milliseconds kSweepEvery{100};
constexpr std::size_t kReadyMax = 4096;  // operations handled before the lane is looked after again

std::string_view text_of(beast::string_view text) noexcept { return {text.data(), text.size()}; }
std::uint64_t nanoseconds(std::chrono::milliseconds time) noexcept {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count());
}

}  // namespace

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

void Connection::next_request() {
  parser_.emplace();
  parser_->header_limit(server_.options.header_bytes_max);
  parser_->body_limit(server_.options.body_bytes_max);
  parser_->eager(false);
  judged_ = false;
  head_.method = head_.target = {};  // they pointed into the last parser
  head_.headers.clear();
  refusal_.reset();
  server_.reading_bytes -= counted_bytes_;
  counted_bytes_ = 0;
  phase_ = buffer_.size() == 0 ? Phase::idle : Phase::head;
  deadline_ns_ = server_.after(phase_ == Phase::idle ? server_.options.idle : server_.options.header);
  if (buffer_.size() == 0) {
    read();
  } else {
    advance();
  }
}

void Connection::read() {
  reading_ = true;
  socket_.async_read_some(buffer_.prepare(phase_ == Phase::body ? kReadBodyBytes : kReadBytes),
                          [self = shared_from_this()](error_code error, std::size_t bytes) {
                            self->reading_ = false;
                            if (self->phase_ == Phase::closed) return;
                            if (error) return self->close();
                            self->buffer_.commit(bytes);
                            if (self->phase_ == Phase::idle) {
                              self->phase_ = Phase::head;
                              self->deadline_ns_ = self->server_.after(self->server_.options.header);
                            }
                            if (self->phase_ == Phase::head || self->phase_ == Phase::body) return self->advance();
                            if (self->phase_ == Phase::lingering) self->discard();
                          });
}

/// Parses what is in the buffer. False: more bytes are needed, or the request was answered.
bool Connection::parse() {
  error_code error;
  const std::size_t used = parser_->put(buffer_.data(), error);
  buffer_.consume(used);
  if (error == http::error::need_more) {
    read();
    return false;
  }
  if (error) {
    bad_request(error);
    return false;
  }
  return true;
}

void Connection::advance() {
  while (true) {
    if (parser_->is_header_done() && !judged_) {
      judged_ = true;
      judge_head();
      if (phase_ != Phase::body) return;
    }
    if (judged_ && !count_body()) return;
    if (parser_->is_done()) return complete();
    if (buffer_.size() == 0) return read();
    if (!parse()) return;
  }
}

/// Keeps the sum of all bodies inside its bound; a single request always fits.
bool Connection::count_body() {
  const std::uint64_t bytes = std::max<std::uint64_t>(parser_->get().body().size(), counted_bytes_);
  server_.reading_bytes += bytes - counted_bytes_;
  counted_bytes_ = bytes;
  const std::uint64_t all = server_.reading_bytes + server_.reception.held_bytes();
  if (all <= server_.options.bodies_bytes_max || all == counted_bytes_) return true;
  refuse(later(503, "full", "too many bytes are under way; nothing was taken", 1));
  return false;
}

void Connection::judge_head() {
  phase_ = Phase::body;
  deadline_ns_ = server_.after(server_.options.body);
  const auto& request = parser_->get();
  head_.method = text_of(request.method_string());
  head_.target = text_of(request.target());
  head_.headers.clear();
  for (const auto& field : request) head_.headers.push_back({text_of(field.name_string()), text_of(field.value())});
  keep_ = parser_->keep_alive();

  const boost::optional<std::uint64_t> length = parser_->content_length();
  refusal_ = server_.reception.screen(head_);
  if (!refusal_ && request.version() == 11 && request.count(http::field::host) != 1) {
    refusal_ = refusal(400, "bad_request", "HTTP/1.1 wants one Host header");
  }
  const bool asks_first = beast::iequals(request[http::field::expect], "100-continue");
  if (refusal_) {
    // A short body is read and forgotten, so that the connection can go on; a long one is not worth it.
    const bool body_comes = parser_->chunked() || (length && *length > 0);
    const bool short_body = !parser_->chunked() && length && *length <= kUnreadBodyBytes;
    if (body_comes && (asks_first || !short_body)) refuse(std::move(*refusal_));
    return;
  }
  if (length) {
    server_.reading_bytes += *length;
    counted_bytes_ = *length;
  }
  if (asks_first && buffer_.size() == 0 && !parser_->is_done() && count_body()) write_continue();
}

void Connection::complete() {
  phase_ = Phase::waiting;
  deadline_ns_ = UINT64_MAX;
  if (refusal_) return answer(std::move(*refusal_));
  const std::shared_ptr<Caller> self = shared_from_this();
  std::optional<Answer> now = server_.reception.take(head_, parser_->get().body(), self);
  server_.reading_bytes -= counted_bytes_;
  counted_bytes_ = 0;
  if (now) answer(std::move(*now));
}

void Connection::bad_request(error_code error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return refuse(refusal(431, "head_too_large", "the request head is longer than max_header_bytes"));
  }
  if (error == http::error::body_limit) {
    return refuse(refusal(
        413, "too_large",
        "the body is longer than " + std::to_string(server_.options.body_bytes_max) + " bytes (max_body_bytes)"));
  }
  refuse(refusal(400, "bad_request", "not an HTTP/1.1 request: " + error.message()));
}

/// Answers without the rest of the request: the connection cannot be used again.
void Connection::refuse(Answer text) {
  text.close = true;
  answer(std::move(text));
}

void Connection::answer(Answer text) {
  if (phase_ == Phase::closed) return;
  phase_ = Phase::writing;
  deadline_ns_ = server_.after(server_.options.body);
  keep_ = keep_ && !text.close && !server_.stopping;
  response_ = {};
  response_.result(text.status);
  response_.version(11);
  response_.set(http::field::server, "sluice");
  if (!text.body.empty()) response_.set(http::field::content_type, "application/json");
  if (text.retry_after_s > 0) response_.set(http::field::retry_after, std::to_string(text.retry_after_s));
  if (!text.allow.empty()) response_.set(http::field::allow, beast::string_view(text.allow.data(), text.allow.size()));
  if (!text.allowed_origin.empty()) {
    response_.set("WebHook-Allowed-Origin", text.allowed_origin);
    response_.set("WebHook-Allowed-Rate", text.allowed_rate);
  }
  response_.keep_alive(keep_);
  response_.body() = std::move(text.body);
  response_.prepare_payload();
  if (head_.method == "HEAD") response_.body().clear();
  http::async_write(socket_, response_, [self = shared_from_this()](error_code error, std::size_t) {
    if (self->phase_ == Phase::closed) return;
    if (error) return self->close();
    self->written();
  });
}

void Connection::write_continue() {
  static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
  // 25 bytes into an empty socket buffer: when even that does not go, the peer is of no use.
  error_code error;
  socket_.non_blocking(true, error);
  if (socket_.write_some(asio::buffer(text.data(), text.size()), error) != text.size()) close();
}

void Connection::written() {
  // A read may still be waiting (a slow request was answered 408): then the connection ends here.
  if (keep_ && !reading_) return next_request();
  linger();
}

/// Says "no more from here" and takes what the peer still sends, for a while: closing at once could destroy the answer
/// on its way (a reset overtakes it when unread bytes are left).
void Connection::linger() {
  phase_ = Phase::lingering;
  deadline_ns_ = server_.after(kLinger);
  error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  if (error) return close();
  buffer_.consume(buffer_.size());
  if (!reading_) discard();
}

void Connection::discard() {
  socket_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](error_code error, std::size_t bytes) {
                            if (self->phase_ == Phase::closed) return;
                            self->lingered_bytes_ += bytes;
                            if (error || self->lingered_bytes_ > kLingerBytes) return self->close();
                            self->discard();
                          });
}

void Connection::sweep(std::uint64_t now_ns) {
  if (phase_ == Phase::closed || now_ns < deadline_ns_) return;
  if (phase_ == Phase::head || phase_ == Phase::body) {
    return refuse(refusal(408, "too_slow", "the request did not arrive in time"));
  }
  close();
}

void ServerState::accept() {
  if (accepting || stopping || !acceptor.is_open()) return;
  if (open.size() >= options.connections_max) {
    if (!full_told) reception.warn("max_connections is reached: further callers wait");
    full_told = true;
    return;
  }
  if (open.size() < options.connections_max / 2) full_told = false;
  accepting = true;
  acceptor.async_accept([this](error_code error, Socket socket) {
    accepting = false;
    if (stopping) return;
    if (!error) std::make_shared<Connection>(*this, std::move(socket))->begin();
    // Out of descriptors: wait for the sweep instead of asking again and again.
    if (!error || error == asio::error::connection_aborted) accept();
  });
}

void ServerState::sweep() {
  const std::uint64_t now = reception.now_ns();
  if (now - swept_ns < nanoseconds(kSweepEvery)) return;
  swept_ns = now;
  std::vector<std::shared_ptr<Connection>> held;  // closing may end a connection while this looks at the list
  held.reserve(open.size());
  for (Connection* one : open) held.push_back(one->shared_from_this());
  for (const auto& one : held) one->sweep(now);
  held.clear();
  accept();
}

/// Bounded: callers who are refused at once and ask again at once must not keep the lane from its other work.
void ServerState::run_ready() {
  for (std::size_t i = 0; i < kReadyMax && io.poll_one() > 0; ++i) {
  }
}

void ServerState::arm(int fd) {
  if (fd < 0) return;
  if (fd != wake_fd) {
    error_code ignored;
    wake.close(ignored);
    wake_fd = fd;
    wake_armed = false;
    const int copy = ::dup(fd);
    if (copy < 0) throw std::runtime_error("cannot watch the wake descriptor: no free descriptor");
    wake.assign(copy);
  }
  if (wake_armed) return;
  wake_armed = true;
  wake.async_wait(Descriptor::wait_read, [this](error_code error) {
    if (error == asio::error::operation_aborted) return;
    wake_armed = false;
    woken = true;
  });
}

bool is_ip_address(const std::string& text) {
  error_code error;
  (void)asio::ip::make_address(text, error);
  return !error;
}

Server::Server(ServerOptions options, Reception& reception)
    : state_(std::make_unique<ServerState>(std::move(options), reception)) {}

Server::~Server() {
  state_->stopping = true;
  error_code ignored;
  state_->acceptor.close(ignored);
  state_->wake.close(ignored);
  for (Connection* one : std::vector<Connection*>(state_->open)) one->close();
  state_->io.restart();
  state_->io.poll();  // the aborted operations let go of their connections
}

std::uint16_t Server::listen() {
  ServerState& s = *state_;
  const asio::ip::tcp::endpoint at(asio::ip::make_address(s.options.address), s.options.port);
  const std::string where = s.options.address + ":" + std::to_string(s.options.port);
  error_code error;
  s.acceptor.open(at.protocol(), error);
  if (!error) s.acceptor.set_option(Acceptor::reuse_address(true), error);
  if (!error) s.acceptor.bind(at, error);
  if (!error) s.acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    error_code ignored;
    s.acceptor.close(ignored);
    throw std::runtime_error("cannot listen on " + where + ": " + error.message());
  }
  s.accept();
  return s.acceptor.local_endpoint().port();
}

void Server::run(int wake_fd, std::chrono::milliseconds timeout, const std::function<bool()>& done) {
  ServerState& s = *state_;
  if (s.io.stopped()) s.io.restart();
  if (timeout.count() == 0) {
    s.run_ready();
    return s.sweep();
  }
  s.woken = false;
  s.arm(wake_fd);
  const auto until = std::chrono::steady_clock::now() + timeout;
  while (true) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left.count() <= 0) break;
    if (s.io.stopped()) s.io.restart();
    s.io.run_one_for(std::min<std::chrono::steady_clock::duration>(left, kSweepEvery));
    s.run_ready();
    s.sweep();
    if (s.woken || done()) break;
  }
}

void Server::stop() {
  ServerState& s = *state_;
  s.stopping = true;
  error_code ignored;
  s.acceptor.close(ignored);
  for (Connection* one : std::vector<Connection*>(s.open)) one->close_if_idle();
}

std::size_t Server::connections() const noexcept { return state_->open.size(); }

}  // namespace sluice_http
