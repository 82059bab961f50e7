// The server that tests/servers/with_rabbitmq.py started around this program, and a client of the test's own for
// looking at it: what a queue holds is read and written by another way than the one under test.
#pragma once

#include "client.hh"
#include "driver.hh"

#include <cstdlib>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace rabbit_test {

/// Of the environment; a live test without its server is a failure, not a pass.
inline std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr)
    throw std::runtime_error(std::string(name) + " is not set: run this by with_rabbitmq.py (ctest does)");
  return value;
}
inline std::string server_url() { return environment("RABBITMQ_TEST_URL"); }

/// kill, start, restart, sync, freeze, thaw, or a rabbitmqctl command, done by the one who started the server.
inline void control(const std::string& wish) {
  const std::string path = environment("RABBITMQ_TEST_CONTROL");
  const int peer = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::connect(peer, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const std::string line = wish + "\n";
  REQUIRE(::write(peer, line.data(), line.size()) == static_cast<ssize_t>(line.size()));
  std::string answer;
  char buffer[256];
  for (ssize_t got = 0; answer.find('\n') == answer.npos && (got = ::read(peer, buffer, sizeof buffer)) > 0;) {
    answer.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(peer);
  INFO(wish << ": " << answer);
  REQUIRE(answer == "done\n");
}

/// A connection of the test's own.
class Peer : private rabbitmq::Frames {
 public:
  explicit Peer(const std::string& url = server_url()) : connection(access(url), 30s) {}

  static rabbitmq::Access access(const std::string& url) {
    rabbitmq::Access made;
    made.address = rabbitmq::parse_address(url);
    made.name = "test";
    made.frame_bytes_max = 131072;
    made.timeout = 30s;
    return made;
  }
  /// A queue, bound where an exchange is named. Durable, as everything the tests make.
  void queue(const std::string& name, const std::string& exchange = "", const std::string& pattern = "#",
             std::vector<std::pair<std::string, std::string>> arguments = {}) {
    connection.declare(rabbitmq::Queue{name, true, false, std::move(arguments)});
    if (exchange.empty()) return;
    connection.declare(rabbitmq::Exchange{exchange, "topic"});
    connection.bind(name, exchange, pattern);
  }
  /// Into a queue, by the default exchange.
  void put(const std::string& queue, const std::string& body, const rabbitmq::Outgoing& properties = {}) {
    rabbitmq::Outgoing message = properties;
    message.routing_key = queue;
    message.body = body;
    REQUIRE(connection.publish("", message, false, true));
  }
  /// The queue's messages, taken out; waits for `count` of them.
  std::vector<rabbitmq::Message> take(const std::string& queue, std::size_t count) {
    if (!consuming_) connection.consume(queue, 0);
    consuming_ = true;
    REQUIRE(repeat_until([&] { return got_.size() >= count; }, [&] { step(); }));
    std::uint64_t last = 0;
    for (const rabbitmq::Message& message : got_) last = message.delivery_tag;
    if (last != 0) REQUIRE(connection.acknowledge(last, true));
    return std::exchange(got_, {});
  }
  /// How many messages wait in the queue.
  std::uint32_t depth(const std::string& queue) {
    depth_ = -1;
    REQUIRE(connection.ask_depth(queue));
    REQUIRE(repeat_until([&] { return depth_ >= 0; }, [&] { step(); }));
    return static_cast<std::uint32_t>(depth_);
  }
  bool becomes(const std::string& queue, std::uint32_t messages) {
    return repeat_until([&] { return depth(queue) == messages; }, [] { ::usleep(20'000); });
  }

  rabbitmq::Connection connection;

 private:
  void step() {
    bool progress = false;
    REQUIRE(connection.read(*this, progress));
    if (!progress) ::usleep(2'000);
  }
  void delivered(rabbitmq::Message& message) override { got_.push_back(std::move(message)); }
  void counted(std::uint32_t messages) override { depth_ = messages; }

  std::vector<rabbitmq::Message> got_;
  std::int64_t depth_ = -1;
  bool consuming_ = false;
};

/// A name that no other test uses: they share the server.
inline std::string fresh(const std::string& what) {
  static int next = 0;
  return what + "-" + std::to_string(::getpid()) + "-" + std::to_string(++next);
}

/// A node's configuration for the server, with these members besides `url`.
inline std::string config(const std::string& more, const std::string& url = server_url()) {
  return R"({"url":")" + url + "\"," + more + "}";
}
inline std::string quoted(const std::string& key, const std::string& value) {
  return "\"" + key + "\":\"" + value + "\"";
}

/// What start() says, and that it says AWAY.
template <class Side>
std::string start_refused(Side& side) {
  try {
    side.node.start(30'000);
  } catch (const std::exception& refused) {
    CHECK(side.node.status == SLUICE_AWAY);
    return refused.what();
  }
  return "started";
}

}  // namespace rabbit_test
