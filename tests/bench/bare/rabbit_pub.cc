// bare_rabbit FILE PORT USER PASSWORD WINDOW — basic.publish of each LINE into the queue "ev" by librabbitmq:
// persistent, with publisher confirms, at most WINDOW of them unconfirmed; every confirm is read and counted. Each has
// the properties that the host's messages have, as long as theirs: the server pays for them on both sides.
#include "measured.hh"

#include <amqp.h>
#include <amqp_tcp_socket.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

constexpr amqp_channel_t kChannel = 1;
constexpr std::size_t kIdFront = 24;  // what all ids begin with

void must(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "rabbitmq: %s\n", what);
  std::exit(1);
}

void must_answer(amqp_connection_state_t connection, const char* what) {
  must(amqp_get_rpc_reply(connection).reply_type == AMQP_RESPONSE_NORMAL, what);
}

/// What was published and is not confirmed: a ring of flags, for the server confirms in any order.
class Unconfirmed {
 public:
  explicit Unconfirmed(std::uint64_t window) : open_(window, false) {}
  [[nodiscard]] std::uint64_t count() const { return next_ - base_; }
  [[nodiscard]] std::uint64_t confirmed() const { return confirmed_; }
  void sent() { open_[next_++ % open_.size()] = true; }
  void confirm(std::uint64_t number, bool multiple) {
    must(number >= base_ && number < next_, "a confirm of nothing");
    for (std::uint64_t i = multiple ? base_ : number; i <= number; ++i) {
      if (open_[i % open_.size()]) ++confirmed_;
      open_[i % open_.size()] = false;
    }
    while (base_ < next_ && !open_[base_ % open_.size()]) ++base_;
  }

 private:
  std::vector<bool> open_;
  std::uint64_t base_ = 1, next_ = 1, confirmed_ = 0;
};

void read_confirm(amqp_connection_state_t connection, Unconfirmed& unconfirmed) {
  amqp_frame_t frame;
  amqp_maybe_release_buffers(connection);
  must(amqp_simple_wait_frame(connection, &frame) == AMQP_STATUS_OK, "waiting for a confirm");
  must(frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == AMQP_BASIC_ACK_METHOD, "no confirm");
  const auto& ack = *static_cast<const amqp_basic_ack_t*>(frame.payload.method.decoded);
  unconfirmed.confirm(ack.delivery_tag, ack.multiple != 0);
}

}  // namespace

int main(int, char** arguments) {
  const auto window = std::strtoull(arguments[5], nullptr, 10);
  amqp_connection_state_t connection = amqp_new_connection();
  must(amqp_socket_open(amqp_tcp_socket_new(connection), "127.0.0.1", std::atoi(arguments[2])) == AMQP_STATUS_OK,
       "connect");
  must(amqp_login(connection, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, arguments[3], arguments[4]).reply_type ==
           AMQP_RESPONSE_NORMAL,
       "login");
  amqp_channel_open(connection, kChannel);
  must_answer(connection, "channel");
  amqp_confirm_select(connection, kChannel);
  must_answer(connection, "confirms");

  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG;
  properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
  properties.content_type = amqp_cstring_bytes("application/cloudevents+json");
  properties._flags |= AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_APP_ID_FLAG;
  properties._flags |= AMQP_BASIC_TIMESTAMP_FLAG;
  properties.type = amqp_cstring_bytes("com.storytelling.nlp.document.processed");
  properties.app_id = amqp_cstring_bytes("sluice");
  properties.timestamp = 1'793'491'200;
  char id[] = "00000000-0000-4000-8000-000000000000";
  properties.message_id = amqp_cstring_bytes(id);
  const amqp_bytes_t queue = amqp_cstring_bytes("ev");
  Unconfirmed unconfirmed(window);
  std::uint64_t sent = 0;
  std::string_view line;
  bool more = true;
  const bare::Stopwatch watch;
  bare::Lines lines(arguments[1]);
  while (more || unconfirmed.count() > 0) {
    while (more && unconfirmed.count() < window) {
      if (!(more = lines.next(line))) break;
      std::snprintf(id + kIdFront, sizeof id - kIdFront, "%012llu", static_cast<unsigned long long>(++sent));
      const amqp_bytes_t body{.len = line.size(), .bytes = const_cast<char*>(line.data())};
      must(amqp_basic_publish(connection, kChannel, amqp_empty_bytes, queue, 0, 0, &properties, body) == AMQP_STATUS_OK,
           "publish");
      unconfirmed.sent();
    }
    // Half a window at a time, so that the server has work while this side refills.
    const std::uint64_t left = more ? window / 2 : 0;
    while (unconfirmed.count() > left) read_confirm(connection, unconfirmed);
  }
  watch.report(unconfirmed.confirmed(), lines.bytes());
  amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
  amqp_destroy_connection(connection);
  return 0;
}
