#include "client.hh"

#include <sluice/cpp/guard.hh>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif

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

amqp_bytes_t bytes(std::string_view text) {
  return {.len = text.size(), .bytes = const_cast<char*>(text.data())};  // the library never writes to it
}
std::string_view view(amqp_bytes_t text) {
  return text.bytes == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(text.bytes), text.len);
}

amqp_table_entry_t entry(std::string_view key, amqp_field_value_kind_t kind) {
  amqp_table_entry_t made{};
  made.key = bytes(key);
  made.value.kind = static_cast<std::uint8_t>(kind);
  return made;
}
amqp_table_entry_t entry(std::string_view key, std::string_view text) {
  amqp_table_entry_t made = entry(key, AMQP_FIELD_KIND_UTF8);
  made.value.value.bytes = bytes(text);
  return made;
}
amqp_table_entry_t entry(std::string_view key, bool value) {
  amqp_table_entry_t made = entry(key, AMQP_FIELD_KIND_BOOLEAN);
  made.value.value.boolean = value ? 1 : 0;
  return made;
}

/// An argument as it stands in a configuration: numbers and booleans as such, anything else a text.
amqp_table_entry_t argument(std::string_view key, std::string_view value) {
  if (value == "true" || value == "false") return entry(key, value == "true");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error == std::errc() && end == value.data() + value.size()) {
    amqp_table_entry_t made = entry(key, AMQP_FIELD_KIND_I64);
    made.value.value.i64 = number;
    return made;
  }
  return entry(key, value);
}

amqp_table_t table(std::vector<amqp_table_entry_t>& entries) {
  return {.num_entries = static_cast<int>(entries.size()), .entries = entries.data()};
}

std::optional<std::int64_t> integer_of(const amqp_field_value_t& value) {
  switch (value.kind) {
    case AMQP_FIELD_KIND_I8:
      return value.value.i8;
    case AMQP_FIELD_KIND_U8:
      return value.value.u8;
    case AMQP_FIELD_KIND_I16:
      return value.value.i16;
    case AMQP_FIELD_KIND_U16:
      return value.value.u16;
    case AMQP_FIELD_KIND_I32:
      return value.value.i32;
    case AMQP_FIELD_KIND_U32:
      return value.value.u32;
    case AMQP_FIELD_KIND_I64:
      return value.value.i64;
    case AMQP_FIELD_KIND_U64:
      return static_cast<std::int64_t>(value.value.u64);
    default:
      return std::nullopt;
  }
}

void take_headers(const amqp_table_t& headers, Message& message) {
  for (int i = 0; i < headers.num_entries; ++i) {
    const amqp_table_entry_t& from = headers.entries[i];
    const std::string_view name = view(from.key);
    const std::optional<std::int64_t> number = integer_of(from.value);
    if (name == "x-delivery-count" && number) {
      message.deliveries = static_cast<std::uint64_t>(*number);
      message.counts_deliveries = true;
      continue;
    }
    const bool text = from.value.kind == AMQP_FIELD_KIND_UTF8 || from.value.kind == AMQP_FIELD_KIND_BYTES;
    const bool boolean = from.value.kind == AMQP_FIELD_KIND_BOOLEAN;
    if (!text && !boolean && !number) continue;
    Field& field = message.add_field();
    field.name = name;
    field.type = number ? SLUICE_INTEGER : boolean ? SLUICE_BOOLEAN : SLUICE_STRING;
    if (number)
      field.value = std::to_string(*number);
    else if (boolean)
      field.value = from.value.value.boolean != 0 ? "true" : "false";
    else
      field.value = view(from.value.value.bytes);
  }
}

void take_properties(const amqp_basic_properties_t& from, Message& message) {
  message.field_count = 0;
  message.counts_deliveries = false;
  message.deliveries = 0;
  const auto take = [&](amqp_flags_t flag, amqp_bytes_t text, std::string& to) {
    to = (from._flags & flag) != 0 ? view(text) : std::string_view();
  };
  take(AMQP_BASIC_CONTENT_TYPE_FLAG, from.content_type, message.content_type);
  take(AMQP_BASIC_CORRELATION_ID_FLAG, from.correlation_id, message.correlation_id);
  take(AMQP_BASIC_MESSAGE_ID_FLAG, from.message_id, message.message_id);
  if ((from._flags & AMQP_BASIC_HEADERS_FLAG) != 0) take_headers(from.headers, message);
}

std::string library_text(int status) {
  std::string said = amqp_error_string2(status);
  if (status == AMQP_STATUS_SSL_PEER_VERIFY_FAILED || status == AMQP_STATUS_SSL_CONNECTION_FAILED) {
    said +=
        ": the server's certificate is not accepted, or it speaks no TLS here; tls.ca_file names the authority to "
        "trust";
  } else if (status == AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED) {
    said += ": the server's certificate is for another host than the url names";
  }
  return said;
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
  [[nodiscard]] std::string text_of(const amqp_method_t& method, const Asked& asked) const;
  void check(const amqp_rpc_reply_t& reply, const Asked& asked) const;
  void check_last(const Asked& asked) const { check(amqp_get_rpc_reply(connection), asked); }
  [[nodiscard]] bool wrote(int status);
  bool take(const amqp_frame_t& frame, Frames& frames);
  bool take_method(const amqp_method_t& method, Frames& frames);
  void take_whole(Frames& frames);

  const std::string shown;
  const std::chrono::seconds heartbeat;
  amqp_connection_state_t connection = nullptr;
  std::string error;
  std::vector<amqp_table_entry_t> headers;  // of the message that goes out; kept for its memory

  // The message that is coming in, frame by frame.
  enum class Incoming : std::uint8_t { none, delivery, returned } incoming = Incoming::none;
  Message message;
  std::uint64_t body_bytes = 0;
  std::uint16_t return_code = 0;
  std::string return_text;
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
                                          amqp_table_entry_t{}};
  said[2].key = bytes("capabilities");
  said[2].value.kind = AMQP_FIELD_KIND_TABLE;
  said[2].value.value.table = table(abilities);
  const amqp_table_t properties = table(said);
  check(amqp_login_with_properties(connection, address.vhost.c_str(), kChannelsMax,
                                   static_cast<int>(access.frame_bytes_max), static_cast<int>(heartbeat.count()),
                                   &properties, AMQP_SASL_METHOD_PLAIN, address.user.c_str(), address.password.c_str()),
        {"login"});
  amqp_channel_open(connection, kChannel);
  check_last({"channel"});
}

std::string Connection::State::text_of(const amqp_method_t& method, const Asked& asked) const {
  if (method.id == AMQP_CHANNEL_CLOSE_METHOD) {
    const auto& close = *static_cast<const amqp_channel_close_t*>(method.decoded);
    return explained(close.reply_code, view(close.reply_text), asked);
  }
  if (method.id == AMQP_CONNECTION_CLOSE_METHOD) {
    const auto& close = *static_cast<const amqp_connection_close_t*>(method.decoded);
    return explained(close.reply_code, view(close.reply_text), asked);
  }
  return asked.what + ": the server answered with method " + std::to_string(method.id);
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
    if (!state.take(frame, frames)) return false;
    if (state.incoming == State::Incoming::none) amqp_maybe_release_buffers(state.connection);
  }
  return true;
}

/// False: the server closed channel or connection, and said why.
bool Connection::State::take(const amqp_frame_t& frame, Frames& frames) {
  switch (frame.frame_type) {
    case AMQP_FRAME_METHOD:
      return take_method(frame.payload.method, frames);
    case AMQP_FRAME_HEADER:
      take_properties(*static_cast<const amqp_basic_properties_t*>(frame.payload.properties.decoded), message);
      body_bytes = frame.payload.properties.body_size;
      message.body.clear();
      if (body_bytes == 0) take_whole(frames);
      return true;
    case AMQP_FRAME_BODY:
      message.body.append(view(frame.payload.body_fragment));
      if (message.body.size() >= body_bytes) take_whole(frames);
      return true;
    default:
      return true;
  }
}

void Connection::State::take_whole(Frames& frames) {
  const Incoming whole = std::exchange(incoming, Incoming::none);
  if (whole == Incoming::delivery) frames.delivered(message);
  if (whole == Incoming::returned) frames.returned(return_code, return_text, message);
}

bool Connection::State::take_method(const amqp_method_t& method, Frames& frames) {
  switch (method.id) {
    case AMQP_BASIC_ACK_METHOD: {
      const auto& ack = *static_cast<const amqp_basic_ack_t*>(method.decoded);
      frames.confirmed(ack.delivery_tag, ack.multiple != 0);
      return true;
    }
    case AMQP_BASIC_NACK_METHOD: {
      const auto& nack = *static_cast<const amqp_basic_nack_t*>(method.decoded);
      frames.refused(nack.delivery_tag, nack.multiple != 0);
      return true;
    }
    case AMQP_BASIC_RETURN_METHOD: {
      const auto& sent_back = *static_cast<const amqp_basic_return_t*>(method.decoded);
      incoming = Incoming::returned;
      return_code = sent_back.reply_code;
      return_text = view(sent_back.reply_text);
      message.exchange = view(sent_back.exchange);
      message.routing_key = view(sent_back.routing_key);
      return true;
    }
    case AMQP_BASIC_DELIVER_METHOD: {
      const auto& deliver = *static_cast<const amqp_basic_deliver_t*>(method.decoded);
      incoming = Incoming::delivery;
      message.delivery_tag = deliver.delivery_tag;
      message.redelivered = deliver.redelivered != 0;
      message.exchange = view(deliver.exchange);
      message.routing_key = view(deliver.routing_key);
      return true;
    }
    case AMQP_QUEUE_DECLARE_OK_METHOD:
      frames.counted(static_cast<const amqp_queue_declare_ok_t*>(method.decoded)->message_count);
      return true;
    case AMQP_CONNECTION_BLOCKED_METHOD:
      frames.blocked(view(static_cast<const amqp_connection_blocked_t*>(method.decoded)->reason));
      return true;
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
      frames.unblocked();
      return true;
    case AMQP_BASIC_CANCEL_METHOD:
      error = "the server ended the consumer: its queue was deleted or moved";
      return false;
    case AMQP_CHANNEL_CLOSE_METHOD:
    case AMQP_CONNECTION_CLOSE_METHOD:
      error = text_of(method, {});
      return false;
    default:
      return true;
  }
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
