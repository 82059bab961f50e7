// Backend stdout over a real pipe in the place of standard output.
#include "catch.hh"
#include "plugin_rig.hh"

#include <fcntl.h>
#include <unistd.h>
#include <csignal>

#include <cstdio>
#include <string>

namespace {

const sluice_class& stdout_class() { return rig::class_of(*sluice_module_v1(), "stdout"); }

class Stdout {
 public:
  explicit Stdout(int fd) {
    std::fflush(stdout);
    old_ = ::dup(STDOUT_FILENO);
    ::dup2(fd, STDOUT_FILENO);
  }
  ~Stdout() {
    ::dup2(old_, STDOUT_FILENO);
    ::close(old_);
  }

 private:
  int old_;
};

std::string event(int i, const std::string& gap = "") {
  return "{" + gap + "\"specversion\":\"1.0\",\"id\":\"" + std::to_string(i) + "\",\"source\":\"/t\",\"type\":\"t\"}";
}

std::string read_from(int fd) {
  std::string all(1 << 20, '\0');
  const ssize_t got = ::read(fd, all.data(), all.size());
  all.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return all;
}

struct Pipe {
  Pipe() { REQUIRE(::pipe(ends) == 0); }
  ~Pipe() {
    ::close(ends[0]);
    if (ends[1] >= 0) ::close(ends[1]);
  }
  int ends[2];
};

}  // namespace

TEST_CASE("stdout: one line per event, also for an event that came on several lines", "[stdio]") {
  Pipe pipe;
  rig::Host host;
  {
    const Stdout as_stdout(pipe.ends[1]);
    rig::Node node(stdout_class(), "{}", host);
    node.start();
    const rig::Batch batch({event(1), event(2, "\n  ")}, 7);
    CHECK(node.publish(batch) == 2);
  }
  CHECK(read_from(pipe.ends[0]) == event(1) + "\n" + event(2, "   ") + "\n");
  CHECK(host.completed(SLUICE_OK) == 2);
}

TEST_CASE("stdout: a reader that does not keep up holds the events back and loses none", "[stdio]") {
  Pipe pipe;
  rig::Host host;
  std::string read_back, expected;
  std::uint64_t ticket = 0;
  {
    const Stdout as_stdout(pipe.ends[1]);
    rig::Node node(stdout_class(), "{}", host);
    node.start();
    std::vector<std::string> many;
    for (int i = 0; i < 256; ++i) many.push_back(event(i));
    std::uint32_t taken = 1;
    while (taken > 0) {  // until it says "full", with nobody reading
      const rig::Batch batch(many, ticket);
      taken = node.publish(batch);
      ticket += taken;
      for (std::uint32_t i = 0; i < taken; ++i) expected += many[i] + "\n";
      REQUIRE(ticket < 1'000'000);
    }
    CHECK(host.completed(SLUICE_OK) < ticket);
    while (read_back.size() < expected.size()) {
      read_back += read_from(pipe.ends[0]);
      node.poll(0);
    }
  }
  CHECK(read_back == expected);
  CHECK(host.completed(SLUICE_OK) == ticket);
}

TEST_CASE("stdout: when the reader has gone, nothing counts as delivered and the node says it is broken", "[stdio]") {
  ::signal(SIGPIPE, SIG_IGN);
  rig::Host host;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  {
    const Stdout as_stdout(ends[1]);
    rig::Node node(stdout_class(), "{}", host);
    node.start();
    ::close(ends[0]);
    const rig::Batch batch({event(1), event(2)}, 1);
    CHECK(node.publish(batch) == 2);
    CHECK(node.publish(batch) == 0);
    CHECK(node.status == SLUICE_FAILED);
    CHECK(node.error == "standard output was closed by its reader");
  }
  ::close(ends[1]);
  CHECK(host.completed(SLUICE_OK) == 0);
  CHECK(host.completed(SLUICE_CANCELLED) == 2);
}

TEST_CASE("stdout: a full device is away, and the reason names it", "[stdio]") {
  rig::Host host;
  const int full = ::open("/dev/full", O_WRONLY);
  {
    const Stdout as_stdout(full);
    rig::Node node(stdout_class(), "{}", host);
    node.start();
    const rig::Batch batch({event(1)}, 1);
    CHECK(node.publish(batch) == 1);
    CHECK(node.publish(batch) == 0);
    CHECK(node.status == SLUICE_AWAY);
    CHECK(node.error == "standard output: no space left on the device");
    node.stop();
  }
  ::close(full);
  CHECK(host.completed(SLUICE_CANCELLED) == 1);
}
