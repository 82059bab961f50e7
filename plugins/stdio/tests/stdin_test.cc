// Source stdin over a real pipe and a real file in the place of standard input.
#include "catch.hh"
#include "plugin_rig.hh"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

namespace {

const sluice_class& stdin_class() { return rig::class_of(*sluice_module_v1(), "stdin"); }

/// Puts a descriptor in the place of standard input and the old one back.
class Stdin {
 public:
  explicit Stdin(int fd) : old_(::dup(STDIN_FILENO)) {
    ::dup2(fd, STDIN_FILENO);
    ::close(fd);
  }
  ~Stdin() {
    ::dup2(old_, STDIN_FILENO);
    ::close(old_);
  }

 private:
  int old_;
};

struct Pipe {
  Pipe() { REQUIRE(::pipe(ends) == 0); }
  void put(const std::string& text) const {
    // Also called on a thread of its own, where Catch2's macros must not be: a failure ends the test program.
    if (::write(ends[1], text.data(), text.size()) != ssize_t(text.size())) std::abort();
  }
  void close() const { ::close(ends[1]); }
  int ends[2];
};

/// Pulls until the end of input.
std::vector<std::string> read_all(rig::Node& node, std::uint32_t cap = 256, std::uint64_t bytes = 256 * 1024) {
  std::vector<std::string> all;
  for (int round = 0; round < 100'000; ++round) {
    rig::Writer out(cap, bytes);
    const sluice_status status = node.pull(out);
    for (auto& text : out.texts()) all.push_back(std::move(text));
    if (status == SLUICE_END) return all;
    REQUIRE((status == SLUICE_OK || status == SLUICE_AGAIN));
    if (status == SLUICE_AGAIN) node.poll(1000);
  }
  FAIL("no end of input");
  return all;
}

}  // namespace

TEST_CASE("stdin: what waits in a pipe, and what is left of a file, is a metric", "[stdin]") {
  const auto lag_of = [](rig::Host& host, rig::Node& node) {
    host.advance_ms(1'000);
    node.poll(0);
    return host.cell("source_lag_bytes")->value;
  };
  SECTION("pipe") {
    const Pipe pipe;
    const Stdin in(pipe.ends[0]);
    rig::Host host;
    rig::Node node(stdin_class(), "{}", host);
    node.start();
    CHECK(lag_of(host, node) == 0);
    pipe.put("{\"a\":1}\n{\"b\":2}\n");
    CHECK(lag_of(host, node) == 16);
    pipe.close();
    CHECK(read_all(node).size() == 2);
    CHECK(lag_of(host, node) == 0);
  }
  SECTION("file") {
    std::FILE* const file = std::tmpfile();
    REQUIRE(file != nullptr);
    REQUIRE(std::fputs("{\"a\":1}\n{\"b\":2}\n", file) >= 0);
    std::rewind(file);
    const Stdin in(::dup(::fileno(file)));
    std::fclose(file);
    rig::Host host;
    rig::Node node(stdin_class(), "{}", host);
    node.start();
    CHECK(lag_of(host, node) == 16);
    CHECK(read_all(node).size() == 2);
    CHECK(lag_of(host, node) == 0);
  }
}

TEST_CASE("stdin: an open pipe without bytes is 'nothing now', and its end is the end", "[stdio]") {
  const Pipe pipe;
  const Stdin as_stdin(pipe.ends[0]);
  rig::Host host;
  rig::Node node(stdin_class(), "{}", host);
  node.start();
  rig::Writer none;
  CHECK(node.pull(none) == SLUICE_AGAIN);
  pipe.put("{\"a\":1}\n{\"b\"");
  rig::Writer first;
  CHECK(node.pull(first) == SLUICE_OK);
  CHECK(first.texts() == std::vector<std::string>{"{\"a\":1}"});
  CHECK(first[0].position.len == 0);  // a pipe has no position that means the same after a restart
  pipe.put(":2}");
  pipe.close();
  CHECK(read_all(node) == std::vector<std::string>{"{\"b\":2}"});
}

TEST_CASE("stdin: lines longer than the host's memory for one pull arrive whole", "[stdio]") {
  const Pipe pipe;
  const Stdin as_stdin(pipe.ends[0]);
  rig::Host host;
  rig::Node node(stdin_class(), "{}", host);
  node.start();
  std::vector<std::string> lines;
  for (int i = 0; i < 60; ++i)
    lines.push_back("{\"a\":\"" + std::string(static_cast<std::size_t>(i) * 1000, 'x') + "\"}");
  std::thread writer([&] {
    for (const std::string& line : lines) pipe.put(line + "\n");
    pipe.close();
  });
  const auto got = read_all(node, 16, 8192);
  writer.join();
  CHECK(got == lines);
}

TEST_CASE("stdin: a file gives its records positions that come again", "[stdio]") {
  char name[] = "/tmp/sluice-stdin-XXXXXX";
  const int fd = ::mkstemp(name);
  const std::string text = "{\"a\":1}\n\n{\"b\":2}\n";
  REQUIRE(::write(fd, text.data(), text.size()) == ssize_t(text.size()));
  std::vector<std::string> positions[2];
  for (auto& seen : positions) {
    const Stdin as_stdin(::open(name, O_RDONLY));
    rig::Host host;
    rig::Node node(stdin_class(), "{}", host);
    node.start();
    rig::Writer out;
    REQUIRE(node.pull(out) == SLUICE_OK);
    REQUIRE(out.count == 2);
    for (std::uint32_t i = 0; i < 2; ++i) seen.emplace_back(sluice::view(out[i].position));
  }
  ::close(fd);
  ::unlink(name);
  CHECK(positions[0] == positions[1]);
  CHECK(positions[0][0] != positions[0][1]);
}

TEST_CASE("stdin: while the graph is full, poll does not wait for input", "[stdio]") {
  const Pipe pipe;
  const Stdin as_stdin(pipe.ends[0]);
  rig::Host host;
  rig::Node node(stdin_class(), "{}", host);
  node.start();
  pipe.put("{}\n");
  int wake[2];
  REQUIRE(::pipe(wake) == 0);
  REQUIRE(::write(wake[1], "x", 1) == 1);
  CHECK(node.poll(60'000, 0, wake[0]) == SLUICE_OK);  // comes back by the wake alone
  CHECK(node.poll(60'000, 256, -1) == SLUICE_OK);     // and by the input alone when there is room
  ::close(wake[0]);
  ::close(wake[1]);
  pipe.close();
}

TEST_CASE("stdin: a directory or nothing at all is refused before the start", "[stdio]") {
  const Stdin as_stdin(::open("/tmp", O_RDONLY | O_DIRECTORY));
  rig::Host host;
  rig::Node node(stdin_class(), "{}", host);
  CHECK_THROWS_WITH(node.start(), "standard input is a directory: give it a file or a pipe");
}
