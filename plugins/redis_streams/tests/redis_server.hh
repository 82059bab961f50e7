// A real redis-server for one test: on a free loopback port, in a folder of its own, gone with the object.
#pragma once

#include "catch.hh"
#include "free_port.hh"

#include "client.hh"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace redis_test {

using namespace std::chrono_literals;

class RedisServer {
 public:
  /// `options` are words of redis-server's command line ("--requirepass", "secret").
  explicit RedisServer(std::vector<std::string> options = {}, std::string password = {})
      : options_(std::move(options)), password_(std::move(password)) {
    std::string folder = (std::filesystem::temp_directory_path() / "sluice-redis-XXXXXX").string();
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
    for (int attempt = 0; attempt < 5 && pid_ == 0; ++attempt) {
      port_ = free_port();  // a stranger may take it before the server does: then try another
      start();
    }
    REQUIRE(pid_ != 0);
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer() {
    kill(SIGKILL);
    std::filesystem::remove_all(folder_);
  }

  /// Starts it on its port and waits until it answers.
  void start() {
    std::vector<std::string> words{
        "redis-server", "--port",       std::to_string(port_), "--bind", "127.0.0.1", "--dir",
        folder_,        "--unixsocket", socket_path(),         "--save", "",          "--loglevel",
        "warning"};
    words.insert(words.end(), options_.begin(), options_.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      const int quiet = ::open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      ::dup2(quiet, 1);
      ::dup2(quiet, 2);
      ::execvp("redis-server", arguments.data());
      ::_exit(127);
    }
    for (int i = 0; i < 1000; ++i) {
      if (::waitpid(pid_, nullptr, WNOHANG) == pid_) break;  // it ended by itself: the port was taken
      try {
        redis_streams::Connection probe(address(), 1s);
        probe.ask({"PING"});
        return;
      } catch (const std::exception&) {
        ::poll(nullptr, 0, 10);
      }
    }
    pid_ = 0;
  }
  void kill(int signal) {
    if (pid_ == 0) return;
    ::kill(pid_, signal);
    if (signal == SIGSTOP || signal == SIGCONT) return;
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  [[nodiscard]] redis_streams::Address address(std::uint32_t database = 0) const {
    redis_streams::Address made;
    made.host = "127.0.0.1";
    made.port = port_;
    made.password = password_;
    made.database = database;
    return made;
  }
  std::string ask(std::initializer_list<std::string_view> words, std::uint32_t database = 0) const {
    return redis_streams::Connection(address(database), 10s).ask(words);
  }
  [[nodiscard]] std::uint64_t length(std::string_view stream, std::uint32_t database = 0) const {
    return std::stoull(ask({"XLEN", stream}, database));
  }
  [[nodiscard]] std::string url(const std::string& credentials = "", std::uint32_t database = 0) const {
    return "redis://" + credentials + "127.0.0.1:" + std::to_string(port_) + "/" + std::to_string(database);
  }
  [[nodiscard]] const std::vector<std::string>& options() const { return options_; }
  [[nodiscard]] std::string socket_path() const { return folder_ + "/redis.sock"; }

 private:
  std::vector<std::string> options_;
  std::string password_, folder_;
  std::uint16_t port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace redis_test
