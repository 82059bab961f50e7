// A real nats-server for one test: on a free loopback port, in a folder of its own, gone with the object.
#pragma once

#include "catch.hh"
#include "free_port.hh"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace nats_test {

using namespace std::chrono_literals;

class NatsServer {
 public:
  /// `settings` are lines of the server's configuration ("max_payload: 8MB"); FOLDER in them is the server's own.
  explicit NatsServer(std::string settings = {}, bool jetstream = true)
      : settings_(std::move(settings)), jetstream_(jetstream) {
    std::string folder = (std::filesystem::temp_directory_path() / "sluice-nats-XXXXXX").string();
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
    for (int attempt = 0; attempt < 5 && pid_ == 0; ++attempt) {
      port_ = free_port();  // a stranger may take it before the server does: then try another
      start();
    }
    REQUIRE(pid_ != 0);
  }
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;
  ~NatsServer() {
    kill(SIGKILL);
    std::filesystem::remove_all(folder_);
  }

  /// Starts it on its port, with the data it had, and waits until it says that it is ready.
  void start() {
    std::string settings = settings_;
    for (std::size_t at = settings.find("FOLDER"); at != settings.npos; at = settings.find("FOLDER", at)) {
      settings.replace(at, sizeof "FOLDER" - 1, folder_);
    }
    std::ofstream(folder_ + "/conf") << "listen: 127.0.0.1:" << port_ << "\nwrite_deadline: 10s\n"
                                     << (jetstream_ ? "jetstream { store_dir: \"" + folder_ + "/js\" }\n" : "")
                                     << settings << "\n";
    std::filesystem::remove(log_path());
    pid_ = ::fork();
    if (pid_ == 0) {
      ::execlp("nats-server", "nats-server", "-c", (folder_ + "/conf").c_str(), "-l", log_path().c_str(), nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 1000; ++i) {
      if (::waitpid(pid_, nullptr, WNOHANG) == pid_) break;  // it ended by itself: the port was taken
      if (log().find("Server is ready") != std::string::npos) return;
      ::poll(nullptr, 0, 10);
    }
    kill(SIGKILL);
  }
  void kill(int signal) {
    if (pid_ == 0) return;
    ::kill(pid_, signal);
    if (signal == SIGCONT) return;
    if (signal == SIGSTOP) {
      ::waitpid(pid_, nullptr, WUNTRACED);  // threads that run on another core may answer for a moment
      return;
    }
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  [[nodiscard]] std::string log() const {
    std::ostringstream text;
    text << std::ifstream(log_path()).rdbuf();
    return text.str();
  }
  [[nodiscard]] std::string url(const std::string& credentials = "") const {
    return "nats://" + credentials + "127.0.0.1:" + std::to_string(port_);
  }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  [[nodiscard]] std::string log_path() const { return folder_ + "/log"; }
  std::string settings_, folder_;
  bool jetstream_;
  std::uint16_t port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace nats_test
