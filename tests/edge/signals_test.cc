// Signals that the test sends to itself. They are blocked while Signals lives, so nothing here can kill the test.
#include "edge/signals.hh"
#include "catch.hh"

#include <poll.h>
#include <unistd.h>

#include <csignal>

using namespace sluice;

namespace {

bool readable(int fd) {
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, 5000) == 1;
}

}  // namespace

TEST_CASE("signals: the first one asks to stop, the next one to stop at once", "[edge][signals]") {
  Signals signals;
  CHECK_FALSE(signals.read().has_value());
  for (const auto expected : {Signals::Event::stop, Signals::Event::stop_now, Signals::Event::stop_now}) {
    REQUIRE(::kill(::getpid(), SIGTERM) == 0);
    REQUIRE(readable(signals.fd()));
    const auto event = signals.read();
    REQUIRE(event.has_value());
    CHECK(*event == expected);
  }
  CHECK_FALSE(signals.read().has_value());
}

TEST_CASE("signals: SIGINT stops too, and SIGHUP before it changes nothing", "[edge][signals]") {
  Signals signals;
  REQUIRE(::kill(::getpid(), SIGHUP) == 0);
  REQUIRE(readable(signals.fd()));
  CHECK(signals.read() == Signals::Event::reload);
  REQUIRE(::kill(::getpid(), SIGINT) == 0);
  REQUIRE(readable(signals.fd()));
  CHECK(signals.read() == Signals::Event::stop);
}

TEST_CASE("signals: SIGINT is heard although the shell had it ignored", "[edge][signals]") {
  std::signal(SIGINT, SIG_IGN);
  Signals signals;
  REQUIRE(::kill(::getpid(), SIGINT) == 0);
  REQUIRE(readable(signals.fd()));
  CHECK(signals.read() == Signals::Event::stop);
}

TEST_CASE("signals: writing to a pipe that nobody reads is an error, not the end", "[edge][signals]") {
  Signals signals;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  CHECK(::write(ends[1], "x", 1) == -1);
  CHECK(errno == EPIPE);
  ::close(ends[1]);
}
