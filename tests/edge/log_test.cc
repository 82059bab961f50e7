// Log lines as a reader of standard error gets them.
#include "edge/log.hh"
#include "catch.hh"
#include "edge/json_text.hh"

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <vector>

using namespace sluice;

namespace {

/// A pipe whose reading end is looked at by the test.
struct Pipe {
  Pipe() {
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  }
  ~Pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  std::string read() {
    std::string all;
    std::array<char, 8192> part;
    for (ssize_t got; (got = ::read(ends[0], part.data(), part.size())) > 0;) all.append(part.data(), got);
    return all;
  }
  std::array<int, 2> ends{};
};

/// What was written to a terminal that is closed by now.
std::string read_terminal(int master) {
  std::string all;
  std::array<char, 1024> part;
  for (ssize_t got; (got = ::read(master, part.data(), part.size())) > 0;) all.append(part.data(), got);
  ::close(master);
  return all;
}

std::string text_of(LogFormat format, std::string_view sentence, std::vector<Field> fields) {
  std::string out;
  append_log_text(out, format, sentence, fields);
  return out;
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("json text: bytes that are not UTF-8 are replaced, the rest stays as it is", "[edge][log]") {
  CHECK(safe_json_string("a\"b\\c\n\x01") == R"("a\"b\\c\n\u0001")");
  CHECK(safe_json_string("Grüße \xF0\x9F\x98\x80") == "\"Grüße \xF0\x9F\x98\x80\"");
  CHECK(safe_json_string("\xFF") == "\"\xEF\xBF\xBD\"");
  CHECK(safe_json_string("\xC0\xAF") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");          // overlong
  CHECK(safe_json_string("\xED\xA0\x80").find("\xED\xA0") == std::string::npos);  // surrogate
  CHECK(safe_json_string("a\xE2\x82") == "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");        // cut off
}

TEST_CASE("json text: a cut never splits an escape or a character", "[edge][log]") {
  for (std::size_t max = 3; max < 12; ++max) {
    std::string out;
    append_safe_json_string(out, "ä\nä\nä\nä\n", max);
    CHECK(out.size() <= max + 2);
    CHECK(holds(out, "…"));
    CHECK(out.find("\xEF\xBF\xBD") == std::string::npos);
  }
  std::string whole;
  append_safe_json_string(whole, "abc", 3);
  CHECK(whole == "\"abc\"");
}

TEST_CASE("json text: numbers are the shortest text that reads back the same", "[edge][log]") {
  const auto text = [](double number) {
    std::string out;
    append_json_number(out, number);
    return out;
  };
  CHECK(text(0.1) == "0.1");
  CHECK(text(5) == "5");
  CHECK(text(1.0 / 0.0) == "null");
}

TEST_CASE("log line: fields stand behind the sentence, quoted only where needed", "[edge][log]") {
  const std::vector<Field> fields{
      {"event_id", "evt_1"}, {"error", "no route to \"host\""}, {"latency_ms", "1.5", true}};
  CHECK(text_of(LogFormat::human, "Event published", fields) ==
        R"(Event published event_id=evt_1 error="no route to \"host\"" latency_ms=1.5)");
  CHECK(text_of(LogFormat::json, "Event published", fields) ==
        R"("message":"Event published","event_id":"evt_1","error":"no route to \"host\"","latency_ms":1.5)");
}

TEST_CASE("log line: what calls itself a number but is none is quoted", "[edge][log]") {
  CHECK(text_of(LogFormat::json, "s", {{"a", "-12", true}}) == R"("message":"s","a":-12)");
  for (const char* text : {"1,\"x\":2", "", "01", "1.", ".5", "-", "1.2.3", "nan"}) {
    CHECK(text_of(LogFormat::json, "s", {{"a", text, true}}) == R"("message":"s","a":)" + safe_json_string(text));
  }
}

TEST_CASE("log line: text from outside cannot make a line of its own", "[edge][log]") {
  const std::string line = text_of(LogFormat::human, "a\nb\033[31m", {{"k", "x\ny"}, {"e", "\033]0;title\a"}});
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.find('\033') == std::string::npos);
}

TEST_CASE("log line: huge values are cut, and the line stays within its bound", "[edge][log]") {
  for (const LogFormat format : {LogFormat::human, LogFormat::json}) {
    const std::string line =
        text_of(format, std::string(10'000, 's'), {{"a", std::string(1'000'000, '"')}, {"b", "behind"}});
    CHECK(line.size() <= kLogLineBytes - kLogFrameBytes);
    CHECK(holds(line, "…"));
  }
}

TEST_CASE("log: JSON lines when nobody sits at a terminal", "[edge][log]") {
  Pipe pipe;
  StreamLog log(pipe.ends[1]);
  const std::vector<Field> fields{{"count", "3", true}};
  log.write(Level::warn, "Something odd", fields);
  const std::string line = pipe.read();
  CHECK(line.rfind("{\"timestamp\":\"20", 0) == 0);
  CHECK(line[13 + 24] == 'Z');
  CHECK(line.substr(38) == "\",\"level\":\"warn\",\"message\":\"Something odd\",\"count\":3}\n");
}

TEST_CASE("log: levels below the one that is set are not written", "[edge][log]") {
  Pipe pipe;
  StreamLog log(pipe.ends[1]);
  log.write(Level::debug, "hidden", {});
  CHECK(pipe.read().empty());
  REQUIRE(log.set_level("debug"));
  CHECK(log.enabled(Level::debug));
  log.write(Level::debug, "shown", {});
  CHECK(holds(pipe.read(), "shown"));
  REQUIRE(log.set_level("error"));
  CHECK_FALSE(log.enabled(Level::warn));
  log.write(Level::warn, "hidden again", {});
  CHECK(pipe.read().empty());
  CHECK_FALSE(log.set_level("loud"));
  CHECK_FALSE(log.set_format("xml"));
}

TEST_CASE("log: sentences for people, with colours, on a terminal", "[edge][log]") {
  int master = -1, terminal = -1;
  REQUIRE(::openpty(&master, &terminal, nullptr, nullptr, nullptr) == 0);
  {
    StreamLog log(terminal);
    const std::vector<Field> fields{{"node", "stream"}};
    log.write(Level::error, "Backend is away", fields);
  }
  ::close(terminal);
  const std::string line = read_terminal(master);
  CHECK(holds(line, "\033[31m\033[1merror  \033[m Backend is away node=stream"));
}

TEST_CASE("log: a reader that stopped reading loses lines and is told how many, and nobody waits for it",
          "[edge][log]") {
  Pipe pipe;
  REQUIRE(::fcntl(pipe.ends[1], F_SETPIPE_SZ, 16384) == 16384);
  StreamLog log(pipe.ends[1]);
  const std::string filler(1000, 'x');
  for (int i = 0; i < 50; ++i) log.write(Level::info, filler, {});
  const std::uint64_t lost = log.lost();
  CHECK(lost > 20);
  CHECK(lost < 50);
  const std::string before = pipe.read();
  CHECK(std::count(before.begin(), before.end(), '\n') == static_cast<std::ptrdiff_t>(50 - lost));
  log.write(Level::info, "after", {});
  const std::string after = pipe.read();
  CHECK(holds(after, "\"message\":\"Log lines were lost\",\"count\":" + std::to_string(lost) + "}"));
  CHECK(holds(after, "\"message\":\"after\""));
}

TEST_CASE("log: a closed standard error does no harm", "[edge][log]") {
  const int closed = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  StreamLog log(closed);
  ::close(closed);
  log.write(Level::error, "nobody hears this", {});
  CHECK(log.lost() == 1);
}

TEST_CASE("log: lines of several threads never mix", "[edge][log]") {
  Pipe pipe;
  REQUIRE(::fcntl(pipe.ends[1], F_SETPIPE_SZ, 1 << 20) >= 1 << 20);
  {
    StreamLog log(pipe.ends[1]);
    std::vector<std::jthread> threads;
    for (char name = 'a'; name < 'e'; ++name) {
      threads.emplace_back([&log, name] {
        for (int i = 0; i < 200; ++i) log.write(Level::info, std::string(300, name), {});
      });
    }
  }
  std::string all = pipe.read();
  std::size_t lines = 0;
  for (std::size_t at = 0; at < all.size(); ++lines) {
    const std::size_t end = all.find('\n', at);
    REQUIRE(end != std::string::npos);
    const char name = all[end - 3];
    CHECK(all.substr(at, end - at).find(std::string(300, name)) != std::string::npos);
    at = end + 1;
  }
  CHECK(lines == 800);
}

TEST_CASE("log: the status line stays below the log lines, and is taken away at the end", "[edge][log]") {
  int master = -1, terminal = -1;
  REQUIRE(::openpty(&master, &terminal, nullptr, nullptr, nullptr) == 0);
  {
    StreamLog log(terminal);
    CHECK(log.on_terminal());
    log.show_status("10 events");
    log.write(Level::info, "Something happened", {});
    log.show_status("");
    log.show_status("");
  }
  ::close(terminal);
  const std::string all = read_terminal(master);
  CHECK(all.rfind("\r\033[K10 events\r\033[K2", 0) == 0);
  CHECK(holds(all, "Something happened\r\n10 events\r\033[K"));
  CHECK(all.substr(all.size() - 4) == "\r\033[K");
}

TEST_CASE("log: no status line where nobody looks", "[edge][log]") {
  Pipe pipe;
  StreamLog log(pipe.ends[1]);
  CHECK_FALSE(log.on_terminal());
  log.show_status("10 events");
  CHECK(pipe.read().empty());
}
