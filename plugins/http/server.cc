#include "server.hh"

#include "connection.hh"

#include <unistd.h>
#include <stdexcept>

namespace sluice_http {
namespace {

constexpr std::chrono::milliseconds kSweepEvery{100};
constexpr std::size_t kReadyMax = 4096;  // operations handled before the lane is looked after again

}  // namespace

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
