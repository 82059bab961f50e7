// Where the primary is, Sentinel says: a real one, a real failover.
#include "reader.hh"

#include <fstream>

using namespace redis_test;

namespace {

/// redis-server --sentinel over one primary, alone in its vote.
class Sentinel {
 public:
  explicit Sentinel(const redis_streams::Address& primary) : port_(free_port()) {
    std::string folder = (std::filesystem::temp_directory_path() / "sluice-sentinel-XXXXXX").string();
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
    const std::string conf = folder_ + "/sentinel.conf";
    std::ofstream(conf) << "port " << port_ << "\nbind 127.0.0.1\ndir " << folder_ << "\nlogfile " << folder_
                        << "/log\nsentinel monitor events 127.0.0.1 " << primary.port
                        << " 1\nsentinel down-after-milliseconds events 500\nsentinel failover-timeout events 3000\n";
    pid_ = ::fork();
    if (pid_ == 0) {
      ::execlp("redis-server", "redis-server", conf.c_str(), "--sentinel", static_cast<char*>(nullptr));
      ::_exit(127);
    }
    for (int i = 0; i < 1000 && !answers(); ++i) ::poll(nullptr, 0, 10);
    REQUIRE(answers());
  }
  Sentinel(const Sentinel&) = delete;
  Sentinel& operator=(const Sentinel&) = delete;
  ~Sentinel() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] redis_streams::Reply ask(std::initializer_list<std::string_view> words) const {
    redis_streams::Address address;
    address.host = "127.0.0.1";
    address.port = port_;
    return redis_streams::Connection(address, 5s).request(words);
  }
  [[nodiscard]] std::string primary_port() const {
    const auto reply = ask({"SENTINEL", "get-master-addr-by-name", "events"});
    return reply.list.size() == 2 ? reply.list[1].text : "";
  }
  [[nodiscard]] bool knows_a_replica() const { return !ask({"SENTINEL", "replicas", "events"}).list.empty(); }
  [[nodiscard]] std::string config(const std::string& name = "events") const {
    return R"("sentinel":{"addresses":["127.0.0.1:1","127.0.0.1:)" + std::to_string(port_) + R"("],"master":")" + name +
           "\"}";
  }

 private:
  [[nodiscard]] bool answers() const {
    try {
      return ask({"PING"}).text == "PONG";
    } catch (const std::exception&) {
      return false;
    }
  }
  std::uint16_t port_;
  std::string folder_;
  pid_t pid_ = -1;
};

template <class Done>
bool wait_until(Done done) {
  for (int i = 0; i < 3000; ++i) {
    if (done()) return true;
    ::poll(nullptr, 0, 10);
  }
  return false;
}

}  // namespace

TEST_CASE("redis_streams: Sentinel names the primary, to source and backend", "[redis][live]") {
  RedisServer server;
  const Sentinel sentinel(server.address());
  Driver driver(config("redis://not-used/0", sentinel.config()));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 100)));
  CHECK(driver.host.completed(SLUICE_OK) == 100);
  Reader reader(source_config("redis://not-used/0", sentinel.config()));
  reader.node.start();
  REQUIRE(reader.consume(100, server));
}

TEST_CASE("redis_streams: an unknown name is away and says what to check", "[redis][live]") {
  RedisServer server;
  const Sentinel sentinel(server.address());
  Driver driver(config("redis://not-used/0", sentinel.config("other")));
  CHECK_THROWS_WITH(driver.node.start(), Catch::Matchers::Contains("does not watch 'other'"));
  CHECK(driver.node.status == SLUICE_AWAY);
}

TEST_CASE("redis_streams: after a failover both go on at the new primary", "[redis][live]") {
  RedisServer first({"--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0"});
  RedisServer second({"--replicaof", "127.0.0.1", std::to_string(first.address().port)});
  const Sentinel sentinel(first.address());
  REQUIRE(wait_until([&] { return sentinel.knows_a_replica(); }));
  Driver driver(config("redis://not-used/0", sentinel.config()));
  driver.node.start();
  Reader reader(source_config("redis://not-used/0", sentinel.config()));
  reader.node.start();
  REQUIRE(driver.publish_all(events(0, 50)));
  REQUIRE(reader.consume(50, first));
  REQUIRE(first.ask({"WAIT", "1", "10000"}) == "1");
  first.kill(SIGKILL);
  const std::string port = std::to_string(second.address().port);
  REQUIRE(wait_until([&] { return sentinel.primary_port() == port; }));
  // The lane backs off while the old primary is gone; here the test does.
  REQUIRE(wait_until([&] {
    driver.poll(0);
    return driver.offer({event(50)}) == 1;
  }));
  REQUIRE(driver.poll_until([&] { return driver.host.completed(SLUICE_OK) >= 51; }));
  REQUIRE(reader.consume(51, second));
}
