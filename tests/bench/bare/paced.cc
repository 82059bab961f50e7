// paced FILE PORT RATE COUNT [COMMAND…] — how long an event takes from the moment it is due to the moment when a reader
// of the Redis stream has it, at a steady rate.
//   without COMMAND: this program sends XADD itself (hiredis) · with COMMAND: it writes the line to COMMAND's standard
//   input, and COMMAND (the host) is to send it on to the same stream.
// Both ways share the schedule, the clock and the reader, so their difference is what lies between. Events are told
// apart by their order: one connection, one stream, nothing trimmed within a reader's distance.
#include "measured.hh"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr double kWarmUpSeconds = 1;

double now() { return bare::seconds_of(CLOCK_MONOTONIC); }

redisContext* connect(int port) {
  redisContext* redis = redisConnect("127.0.0.1", port);
  if (redis == nullptr || redis->err != 0) bare::give_up("redis");
  const timeval patience{30, 0};
  redisSetTimeout(redis, patience);
  return redis;
}

/// Notes when each entry of the stream arrived, in order.
void read_stream(int port, std::vector<double>& arrived) {
  redisContext* redis = connect(port);
  std::string last = "0";
  for (std::size_t have = 0; have < arrived.size();) {
    auto* reply =
        static_cast<redisReply*>(redisCommand(redis, "XREAD COUNT 1000 BLOCK 20000 STREAMS ev %s", last.c_str()));
    if (reply == nullptr || reply->type != REDIS_REPLY_ARRAY) {
      std::fprintf(stderr, "the reader has %zu of %zu entries: %s\n", have, arrived.size(),
                   reply == nullptr                   ? redis->errstr
                   : reply->type == REDIS_REPLY_ERROR ? reply->str
                                                      : "nothing more came");
      std::exit(1);
    }
    const double time = now();
    const redisReply* entries = reply->element[0]->element[1];
    for (std::size_t i = 0; i < entries->elements && have < arrived.size(); ++i) arrived[have++] = time;
    last = entries->element[entries->elements - 1]->element[0]->str;
    freeReplyObject(reply);
  }
  redisFree(redis);
}

/// Where the paced events go.
class Way {
 public:
  virtual ~Way() = default;
  virtual void send(std::string_view line) = 0;
  virtual void wait(double seconds) = 0;
  virtual void end() = 0;
};

class Direct final : public Way {
 public:
  explicit Direct(int port) : redis_(connect(port)) {}
  void send(std::string_view line) override {
    const char* words[] = {"XADD", "ev", "MAXLEN", "~", "10000", "*", "event", line.data()};
    const std::size_t lengths[] = {4, 2, 6, 1, 5, 1, 5, line.size()};
    redisAppendCommandArgv(redis_, 8, words, lengths);
    ++owed_;
    int done = 0;
    while (done == 0) {
      if (redisBufferWrite(redis_, &done) != REDIS_OK) fail();
    }
  }
  void wait(double seconds) override {
    pollfd one{redis_->fd, POLLIN, 0};
    const timespec time{0, static_cast<long>(seconds * 1e9)};
    if (ppoll(&one, 1, &time, nullptr) <= 0) return;
    if (redisBufferRead(redis_) != REDIS_OK) fail();
    void* reply = nullptr;
    while (redisGetReplyFromReader(redis_, &reply) == REDIS_OK && reply != nullptr) {
      if (static_cast<redisReply*>(reply)->type != REDIS_REPLY_STRING) fail();
      freeReplyObject(reply);
      --owed_;
    }
  }
  void end() override {
    const double deadline = now() + 20;
    while (owed_ > 0 && now() < deadline) wait(0.1);
    if (owed_ > 0) fail();
  }

 private:
  [[noreturn]] void fail() {
    std::fprintf(stderr, "redis: %s\n", redis_->errstr);
    std::exit(1);
  }
  redisContext* redis_;
  std::uint64_t owed_ = 0;
};

class Through final : public Way {
 public:
  explicit Through(char** command) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) bare::give_up("pipe");
    child_ = fork();
    if (child_ == 0) {
      dup2(ends[0], STDIN_FILENO);
      execv(command[0], command);
      _exit(127);
    }
    close(ends[0]);
    fd_ = ends[1];
  }
  void send(std::string_view line) override {
    const std::string text = std::string(line) + "\n";  // a line of this length goes into a pipe in one piece
    if (write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) bare::give_up("pipe to the host");
  }
  void wait(double seconds) override {
    const timespec time{0, static_cast<long>(seconds * 1e9)};
    nanosleep(&time, nullptr);
  }
  void end() override {
    close(fd_);
    int status = 0;
    waitpid(child_, &status, 0);
    if (status != 0) {
      std::fprintf(stderr, "the host ended with %d\n", WEXITSTATUS(status));
      std::exit(1);
    }
  }

 private:
  pid_t child_ = -1;
  int fd_ = -1;
};

double percentile(const std::vector<double>& sorted, double q) {
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(q * static_cast<double>(sorted.size())))] * 1e3;
}

}  // namespace

int main(int count, char** arguments) {
  const int port = std::atoi(arguments[2]);
  const double rate = std::atof(arguments[3]);
  const auto events = static_cast<std::size_t>(std::atoll(arguments[4]));
  std::vector<double> due(events), arrived(events);
  std::thread reader([&] { read_stream(port, arrived); });
  Direct direct(port);
  std::unique_ptr<Way> through;
  if (count > 5) through = std::make_unique<Through>(arguments + 5);
  Way& way = through ? *through : direct;
  bare::Lines lines(arguments[1]);
  std::string_view line;
  const double begin = now() + kWarmUpSeconds;  // by then the host has started
  for (std::size_t i = 0; i < events; ++i) {
    due[i] = begin + static_cast<double>(i) / rate;
    for (double left = due[i] - now(); left > 0; left = due[i] - now()) way.wait(std::min(left, 0.5));
    if (!lines.next(line)) bare::give_up("the input is too short");
    way.send(line);
  }
  reader.join();
  way.end();
  // The first second holds page faults and connects on both ways; it is not counted.
  const auto skip = std::min(events / 2, static_cast<std::size_t>(rate));
  std::vector<double> times;
  for (std::size_t i = skip; i < events; ++i) times.push_back(arrived[i] - due[i]);
  std::sort(times.begin(), times.end());
  std::printf("RESULT events=%zu p50_ms=%.4f p95_ms=%.4f p99_ms=%.4f max_ms=%.4f\n", events, percentile(times, 0.5),
              percentile(times, 0.95), percentile(times, 0.99), times.back() * 1e3);
  return 0;
}
