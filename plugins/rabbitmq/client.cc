#include "client.hh"

#include "incoming.hh"
#include "library.hh"

#include <sluice/cpp/guard.hh>

#include <algorithm>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace rabbitmq {
namespace {

using sluice::Away;
using std::chrono::milliseconds;

constexpr amqp_channel_t kChannel = 1;
constexpr int kChannelsMax = 8;
constexpr int kFramesPerRead = 4096;  // then the caller has its turn
// A server short of memory or disk reads nothing for a while; that alone is no reason to give it up.
constexpr milliseconds kUnsentMax{60'000};
constexpr char kConsumerTag[] = "sluice";
// What Debian and its relatives maintain, for when no authority is configured; the library has no word for "the
// system's".
constexpr char kSystemAuthorities[] = "/etc/ssl/certs/ca-certificates.crt";

timeval to_timeval(std::chrono::milliseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  return {.tv_sec = seconds.count(), .tv_usec = static_cast<suseconds_t>((time - seconds).count() * 1000)};
}

}  // namespace

Address parse_address(const std::string& url) {
  std::string text = url;  // the library cuts it into pieces
  amqp_connection_info found{};
  if (amqp_parse_url(text.data(), &found) != AMQP_STATUS_OK) {
    throw sluice::BadConfig(
        "url: this is no URL of a RabbitMQ server; write amqp://user:password@host:5672/vhost, or amqps:// for TLS. "
        "Special characters in user, password and vhost are written %XX");
  }
  Address made;
  made.host = found.host;
  made.user = found.user;
  made.password = found.password;
  made.vhost = *found.vhost == '\0' ? "/" : found.vhost;
  made.port = static_cast<std::uint16_t>(found.port);
  made.tls = found.ssl != 0;
  return made;
}

struct Connection::State {
  explicit State(const Access& access) : shown(access.address.shown()), heartbeat(access.heartbeat) {}
  ~State() {
    if (connection != nullptr) amqp_destroy_connection(connection);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void open(const Access& access, milliseconds timeout);
  [[noreturn]] void fail(const std::string& why) const { throw Away(shown + ": " + why); }
  void check(const amqp_rpc_reply_t& reply, const Asked& asked) const;
  void check_last(const Asked& asked) const { check(amqp_get_rpc_reply(connection), asked); }
  [[nodiscard]] bool wrote(int status);

  const std::string shown;
  const std::chrono::seconds heartbeat;
  amqp_connection_state_t connection = nullptr;
  std::string error;
  std::vector<amqp_table_entry_t> headers;  // of the message that goes out; kept for its memory
  Incoming incoming;
};

void Connection::State::open(const Access& access, milliseconds timeout) {
  connection = amqp_new_connection();
  if (connection == nullptr) fail("out of memory");
  timeval limit = to_timeval(timeout);
  amqp_set_handshake_timeout(connection, &limit);
  amqp_set_rpc_timeout(connection, &limit);
  const Address& address = access.address;
  amqp_socket_t* const socket = address.tls ? amqp_ssl_socket_new(connection) : amqp_tcp_socket_new(connection);
  if (socket == nullptr) fail("no socket can be made");
  if (address.tls) {
    const std::string ca = access.ca.empty() ? kSystemAuthorities : access.ca;
    amqp_ssl_socket_set_verify_peer(socket, 1);
    amqp_ssl_socket_set_verify_hostname(socket, 1);
    if (amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) != AMQP_STATUS_OK ||
        amqp_ssl_socket_set_cacert(socket, ca.c_str()) != AMQP_STATUS_OK) {
      fail("tls.ca_file: cannot read certificates of authorities from " + ca);
    }
    if (!access.certificate.empty() &&
        amqp_ssl_socket_set_key(socket, access.certificate.c_str(), access.key.c_str()) != AMQP_STATUS_OK) {
      fail("tls.cert_file, tls.key_file: cannot read " + access.certificate + " with the key in " + access.key);
    }
  }
  if (const int status = amqp_socket_open_noblock(socket, address.host.c_str(), address.port, &limit);
      status != AMQP_STATUS_OK) {
    fail(library_text(status));
  }
  // A server that reads no more must not hold this thread: the kernel gives up on what it cannot deliver.
  const int descriptor = amqp_get_sockfd(connection), on = 1;
  const auto unsent_ms = static_cast<unsigned>(std::max(access.timeout, kUnsentMax).count());
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &unsent_ms, sizeof unsent_ms);
  ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);

  std::vector<amqp_table_entry_t> abilities = {entry("connection.blocked", true), entry("consumer_cancel_notify", true),
                                               entry("publisher_confirms", true), entry("basic.nack", true)};
  std::vector<amqp_table_entry_t> said = {entry("product", std::string_view("sluice")),
                                          entry("connection_name", std::string_view(access.name)),
                                          entry("capabilities", table(abilities))};
  const amqp_table_t properties = table(said);
  check(amqp_login_with_properties(connection, address.vhost.c_str(), kChannelsMax,
                                   static_cast<int>(access.frame_bytes_max), static_cast<int>(heartbeat.count()),
                                   &properties, AMQP_SASL_METHOD_PLAIN, address.user.c_str(), address.password.c_str()),
        {"login"});
  amqp_channel_open(connection, kChannel);
  check_last({"channel"});
}

void Connection::State::check(const amqp_rpc_reply_t& reply, const Asked& asked) const {
  switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL:
      return;
    case AMQP_RESPONSE_LIBRARY_EXCEPTION:
      fail(asked.what + ": " + library_text(reply.library_error));
    case AMQP_RESPONSE_SERVER_EXCEPTION:
      fail(text_of(reply.reply, asked));
    default:
      fail(asked.what + ": the connection was closed");
  }
}

bool Connection::State::wrote(int status) {
  if (status == AMQP_STATUS_OK) return true;
  if (error.empty()) error = library_text(status);
  return false;
}

Connection::Connection(const Access& access, milliseconds timeout) : state_(std::make_unique<State>(access)) {
  state_->open(access, timeout);
}

Connection::~Connection() = default;

void Connection::declare(const Exchange& exchange) {
  amqp_exchange_declare(state_->connection, kChannel, bytes(exchange.name), bytes(exchange.type), exchange.passive,
                        exchange.durable, 0, 0, amqp_empty_table);
  state_->check_last({"exchange '" + exchange.name + "'", exchange.passive});
}

void Connection::declare(const Queue& queue) {
  std::vector<amqp_table_entry_t> arguments;
  for (const auto& [key, value] : queue.arguments) arguments.push_back(argument(key, value));
  amqp_queue_declare(state_->connection, kChannel, bytes(queue.name), queue.passive, queue.durable, 0, 0,
                     table(arguments));
  state_->check_last({"queue '" + queue.name + "'", queue.passive});
}

std::uint32_t Connection::depth_of(const std::string& queue) {
  const amqp_queue_declare_ok_t* const found =
      amqp_queue_declare(state_->connection, kChannel, bytes(queue), 1, 0, 0, 0, amqp_empty_table);
  state_->check_last({"queue '" + queue + "'", true});
  return found == nullptr ? 0 : found->message_count;
}

void Connection::bind(const std::string& queue, const std::string& exchange, const std::string& routing_key) {
  amqp_queue_bind(state_->connection, kChannel, bytes(queue), bytes(exchange), bytes(routing_key), amqp_empty_table);
  state_->check_last({"binding '" + routing_key + "' of queue '" + queue + "' to exchange '" + exchange + "'"});
}

void Connection::consume(const std::string& queue, std::uint32_t prefetch) {
  amqp_basic_qos(state_->connection, kChannel, 0, static_cast<std::uint16_t>(prefetch), 0);
  state_->check_last({"prefetch_count"});
  amqp_basic_consume(state_->connection, kChannel, bytes(queue), bytes(kConsumerTag), 0, 0, 0, amqp_empty_table);
  state_->check_last({"consuming from queue '" + queue + "'"});
}

void Connection::confirm_publishing() {
  amqp_confirm_select(state_->connection, kChannel);
  state_->check_last({"publisher confirms"});
}

void Connection::close(milliseconds timeout) noexcept {
  if (!state_->error.empty()) return;
  const timeval limit = to_timeval(timeout);
  amqp_set_rpc_timeout(state_->connection, &limit);
  amqp_connection_close(state_->connection, AMQP_REPLY_SUCCESS);
  state_->error = "closed";
}

bool Connection::publish(const std::string& exchange, const Outgoing& message, bool mandatory, bool persistent) {
  amqp_basic_properties_t properties{};
  const auto set = [&](amqp_flags_t flag, amqp_bytes_t& to, std::string_view text) {
    if (text.empty()) return;
    properties._flags |= flag;
    to = bytes(text);
  };
  set(AMQP_BASIC_CONTENT_TYPE_FLAG, properties.content_type, message.content_type);
  set(AMQP_BASIC_CORRELATION_ID_FLAG, properties.correlation_id, message.correlation_id);
  set(AMQP_BASIC_MESSAGE_ID_FLAG, properties.message_id, message.message_id);
  set(AMQP_BASIC_TYPE_FLAG, properties.type, message.type);
  set(AMQP_BASIC_APP_ID_FLAG, properties.app_id, message.app_id);
  properties._flags |= AMQP_BASIC_DELIVERY_MODE_FLAG;
  properties.delivery_mode = persistent ? AMQP_DELIVERY_PERSISTENT : AMQP_DELIVERY_NONPERSISTENT;
  if (message.timestamp) {
    properties._flags |= AMQP_BASIC_TIMESTAMP_FLAG;
    properties.timestamp = *message.timestamp;
  }
  if (!message.headers.empty()) {
    state_->headers.clear();
    for (const Header& header : message.headers) state_->headers.push_back(entry(header.name, header.value));
    properties._flags |= AMQP_BASIC_HEADERS_FLAG;
    properties.headers = table(state_->headers);
  }
  return state_->wrote(amqp_basic_publish(state_->connection, kChannel, bytes(exchange), bytes(message.routing_key),
                                          mandatory, 0, &properties, bytes(message.body)));
}

bool Connection::acknowledge(std::uint64_t delivery_tag, bool multiple) {
  return state_->wrote(amqp_basic_ack(state_->connection, kChannel, delivery_tag, multiple));
}

bool Connection::reject(std::uint64_t delivery_tag, bool requeue) {
  return state_->wrote(amqp_basic_reject(state_->connection, kChannel, delivery_tag, requeue));
}

bool Connection::ask_depth(const std::string& queue) {
  amqp_queue_declare_t question{};
  question.queue = bytes(queue);
  question.passive = 1;
  question.arguments = amqp_empty_table;
  return state_->wrote(amqp_send_method(state_->connection, kChannel, AMQP_QUEUE_DECLARE_METHOD, &question));
}

bool Connection::cancel() {
  amqp_basic_cancel_t wish{};
  wish.consumer_tag = bytes(kConsumerTag);
  return state_->wrote(amqp_send_method(state_->connection, kChannel, AMQP_BASIC_CANCEL_METHOD, &wish));
}

void Connection::hold_output(bool held) noexcept {
  const int on = held ? 1 : 0;
  ::setsockopt(fd(), IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

bool Connection::writable() const noexcept {
  pollfd socket{.fd = fd(), .events = POLLOUT, .revents = 0};
  return ::poll(&socket, 1, 0) == 1;
}

bool Connection::read(Frames& frames, bool& progress) {
  State& state = *state_;
  for (int i = 0; i < kFramesPerRead; ++i) {
    amqp_frame_t frame;
    const timeval now{};
    const int status = amqp_simple_wait_frame_noblock(state.connection, &frame, &now);
    if (status == AMQP_STATUS_TIMEOUT) return true;
    if (status != AMQP_STATUS_OK) return state.wrote(status);
    progress = true;
    if (!state.incoming.take(frame, frames)) {
      state.error = state.incoming.why();
      return false;
    }
    if (state.incoming.is_between()) amqp_maybe_release_buffers(state.connection);
  }
  return true;
}

int Connection::fd() const noexcept { return amqp_get_sockfd(state_->connection); }

milliseconds Connection::heartbeat_period() const noexcept {
  const int agreed_s = amqp_get_heartbeat(state_->connection);
  return agreed_s == 0 ? std::chrono::hours(1) : milliseconds(agreed_s * 1000 / 4);
}

std::uint32_t Connection::frame_bytes_max() const noexcept {
  return static_cast<std::uint32_t>(amqp_get_frame_max(state_->connection));
}

const std::string& Connection::error() const noexcept { return state_->error; }

}  // namespace rabbitmq
