// The only file that knows Boost.Beast and Boost.Asio in the host.
#include "edge/admin_server.hh"

#include "core/setup_error.hh"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <optional>
#include <thread>

namespace sluice {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr std::size_t kAdminConnections = 32;
constexpr auto kAdminTimeout = 10s;
constexpr auto kAcceptPause = 100ms;  // after an error (no descriptors left): do not spin
constexpr std::uint32_t kHeaderBytes = 8 * 1024;
constexpr std::uint64_t kBodyBytes = 4 * 1024;  // nobody needs one; read so that the answer can be sent

tcp::endpoint endpoint_of(const std::string& listen) {
  const auto wrong = [&](const std::string& why) {
    return SetupError("admin.listen: " + why + " in '" + listen + "': expected address:port, e.g. 127.0.0.1:8686");
  };
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos) throw wrong("no port");
  std::string host = listen.substr(0, colon);
  const std::string port_text = listen.substr(colon + 1);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.empty() || host == "localhost") host = "127.0.0.1";
  const bool digits =
      !port_text.empty() && port_text.size() <= 5 && port_text.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || std::stoul(port_text) > 65535) throw wrong("the port is not a number from 0 to 65535");
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) throw wrong("'" + host + "' is not an IP address");
  return {address, static_cast<std::uint16_t>(std::stoul(port_text))};
}

}  // namespace

/// Lives on the server's thread, but for construction and stop().
struct AdminServer::Service {
  Service(const std::string& listen, Pages pages, Log& log) : pages(std::move(pages)), log(log) {
    const tcp::endpoint endpoint = endpoint_of(listen);
    error_code error;
    const auto check = [&] {
      if (error) throw SetupError("admin.listen: " + listen + ": " + error.message());
    };
    acceptor.open(endpoint.protocol(), error), check();
    acceptor.set_option(asio::socket_base::reuse_address(true), error), check();
    acceptor.bind(endpoint, error), check();
    acceptor.listen(asio::socket_base::max_listen_connections, error), check();
    bound = acceptor.local_endpoint();
    accept();
    thread = std::thread([this] { io.run(); });
  }
  ~Service() {
    io.stop();
    thread.join();
    ending = true;
  }

  class Session;
  void accept();
  void session_ended() {
    --sessions;
    accept();
  }
  [[nodiscard]] AdminPage page(std::string_view target) noexcept;

  Pages pages;
  Log& log;
  std::size_t sessions = 0;
  bool accepting = false, ending = false;
  asio::io_context io{1};  // behind what its destructor still touches: it ends the sessions that are left
  tcp::acceptor acceptor{io};
  asio::steady_timer pause{io};
  tcp::endpoint bound;
  std::thread thread;
};

/// One connection: reads a request, answers it, and so on until either side has enough.
class AdminServer::Service::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Service& service, tcp::socket socket) : service_(service), stream_(std::move(socket)) { ++service_.sessions; }
  ~Session() { service_.session_ended(); }

  void read() {
    parser_.emplace();
    parser_->header_limit(kHeaderBytes);
    parser_->body_limit(kBodyBytes);
    stream_.expires_after(kAdminTimeout);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
      if (error == http::error::body_limit)
        self->refuse(http::status::payload_too_large);
      else if (error == http::error::header_limit)
        self->refuse(http::status::request_header_fields_too_large);
      else if (!error)
        self->answer();
      else if (error.category() == beast::http::make_error_code(http::error::bad_method).category() &&
               error != http::error::end_of_stream) {
        self->refuse(http::status::bad_request);
      }
    });
  }

 private:
  void answer() {
    const auto& request = parser_->get();
    const bool head = request.method() == http::verb::head;
    response_ = {};
    response_.version(request.version());
    response_.keep_alive(request.keep_alive());
    if (!head && request.method() != http::verb::get) {
      response_.result(http::status::method_not_allowed);
      response_.set(http::field::allow, "GET, HEAD");
      response_.set(http::field::content_type, "text/plain");
      response_.body() = "only GET and HEAD\n";
    } else {
      const auto target = request.target();
      AdminPage page = service_.page({target.data(), target.size()});
      response_.result(page.status);
      response_.set(http::field::content_type, page.content_type);
      response_.set(http::field::cache_control, "no-store");
      response_.body() = std::move(page.body);
    }
    response_.prepare_payload();
    if (head) response_.body().clear();  // Content-Length stays that of the page
    write();
  }

  void refuse(http::status status) {
    response_ = {};
    response_.version(11);
    response_.result(status);
    response_.keep_alive(false);
    response_.set(http::field::content_type, "text/plain");
    response_.body() = std::string(http::obsolete_reason(status)) + "\n";
    response_.prepare_payload();
    write();
  }

  void write() {
    response_.set(http::field::server, "sluice");
    stream_.expires_after(kAdminTimeout);
    http::async_write(stream_, response_, [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return;
      if (self->response_.keep_alive()) return self->read();
      error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  Service& service_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
};

void AdminServer::Service::accept() {
  if (accepting || sessions >= kAdminConnections || ending) return;
  accepting = true;
  acceptor.async_accept([this](error_code error, tcp::socket socket) {
    accepting = false;
    if (!error) {
      std::make_shared<Session>(*this, std::move(socket))->read();
      return accept();
    }
    pause.expires_after(kAcceptPause);
    pause.async_wait([this](error_code cancelled) {
      if (!cancelled) accept();
    });
  });
}

AdminPage AdminServer::Service::page(std::string_view target) noexcept {
  try {
    return pages(target);
  } catch (const std::exception& failed) {
    const Field fields[] = {{"error", failed.what()}};
    log.write(Level::error, "An admin page could not be made", fields);
    return {500, "text/plain", "the page could not be made\n"};
  }
}

AdminServer::AdminServer(const std::string& listen, Pages pages, Log& log)
    : service_(std::make_unique<Service>(listen, std::move(pages), log)) {
  const Field fields[] = {{"address", address()}};
  log.write(Level::info, "Admin pages are served", fields);
  if (!service_->bound.address().is_loopback()) {
    log.write(Level::warn, "Admin pages can be read by everybody who reaches this address", fields);
  }
}

AdminServer::~AdminServer() = default;

std::uint16_t AdminServer::port() const noexcept { return service_->bound.port(); }

std::string AdminServer::address() const {
  const auto& bound = service_->bound;
  const std::string host = bound.address().to_string();
  return (bound.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(bound.port());
}

}  // namespace sluice
