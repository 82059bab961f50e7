// A caller on a real socket that never blocks, so that one thread can be caller and server in turn; and a door: the
// source on a free port, driven by hand.
#pragma once

#include "answer.hh"
#include "plugin_rig.hh"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

constexpr int kStepsMax = 2000;  // of at most 5 ms each: a test that hangs ends

class Client {
 public:
  explicit Client(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) throw std::runtime_error("cannot connect");
    ::fcntl(fd_, F_SETFL, O_NONBLOCK);
  }
  ~Client() { hang_up(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void hang_up() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  /// Queues bytes; they go out as the far side takes them.
  void send(std::string_view text) {
    out_.append(text);
    pump();
  }
  /// Moves what can be moved now.
  void pump() {
    while (!out_.empty()) {
      const ssize_t sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      out_.erase(0, static_cast<std::size_t>(sent));
    }
    char room[4096];
    while (true) {
      const ssize_t got = ::recv(fd_, room, sizeof room, 0);
      if (got > 0) in_.append(room, static_cast<std::size_t>(got));
      if (got == 0) closed_ = true;
      if (got < 0 && errno == ECONNRESET) reset_ = closed_ = true;
      if (got <= 0) break;
    }
  }
  /// The first whole response that arrived, taken out; empty when there is none yet.
  std::string response() {
    pump();
    const std::size_t head = in_.find("\r\n\r\n");
    if (head == std::string::npos) return {};
    std::size_t length = 0;
    if (const std::size_t at = in_.find("Content-Length: "); at != std::string::npos && at < head) {
      length = std::stoul(in_.substr(at + 16));
    }
    if (in_.size() < head + 4 + length) return {};
    std::string whole = in_.substr(0, head + 4 + length);
    in_.erase(0, whole.size());
    return whole;
  }
  [[nodiscard]] bool closed() {
    pump();
    return closed_;
  }
  [[nodiscard]] bool was_reset() const { return reset_; }

 private:
  int fd_;
  std::string out_, in_;
  bool closed_ = false, reset_ = false;
};

inline int status_of(const std::string& response) {
  return response.size() < 12 ? 0 : std::stoi(response.substr(9, 3));
}

inline std::string header_of(const std::string& response, const std::string& name) {
  const std::size_t at = response.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const std::size_t from = at + name.size() + 4;
  return response.substr(from, response.find("\r\n", from) - from);
}

inline std::string post(const std::string& body, const std::string& more = "",
                        const std::string& type = "application/cloudevents+json") {
  return "POST /events HTTP/1.1\r\nHost: test\r\nContent-Type: " + type + "\r\n" + more +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

inline const std::string kEvent = R"({"specversion":"1.0","id":"1","source":"/s","type":"t"})";

/// A record as it came out of a pull.
struct Pulled {
  std::uint64_t tag;
  std::string text;
  std::uint32_t flags;
  std::vector<std::pair<std::string, std::string>> attributes;
};

class Door {
 public:
  explicit Door(const std::string& config, const sluice_class& of) : node(of, config, host) {
    node.start();
    for (const auto& line : host.logs) {
      if (const std::size_t at = line.second.find("listening on "); at != std::string::npos) {
        port = std::stoi(line.second.substr(line.second.rfind(':') + 1));
      }
    }
    if (port == 0) throw std::runtime_error("the port was not logged");
  }

  /// One round: serve, pull when there is room, keep what came.
  void step(std::uint32_t room = 256) {
    node.poll(5, room);
    if (room == 0) return;
    rig::Writer out(room);
    node.pull(out);
    for (std::uint32_t i = 0; i < out.count; ++i) {
      Pulled one{out[i].tag, out.text(i), out[i].flags, {}};
      for (std::uint32_t h = 0; h < out[i].header_count; ++h) {
        one.attributes.emplace_back(sluice::view(out[i].headers[h].name), sluice::view(out[i].headers[h].value));
      }
      pulled.push_back(std::move(one));
    }
  }
  void settle(std::size_t i, std::uint32_t outcome, std::int32_t code = 0, std::string_view reason = {}) {
    node.settle({{pulled.at(i).tag, outcome, code, sluice::str(reason)}});
  }
  /// Steps until `what` holds; false when it never did.
  bool until(const std::function<bool()>& what, std::uint32_t room = 256) {
    for (int i = 0; i < kStepsMax; ++i) {
      if (what()) return true;
      step(room);
    }
    return what();
  }
  /// Steps until the client has a response, and gives it.
  std::string response(Client& client, std::uint32_t room = 256) {
    std::string text;
    until([&] { return !(text = client.response()).empty(); }, room);
    return text;
  }
  bool pulled_count(std::size_t count, Client& client) {
    return until([&] {
      client.pump();
      return pulled.size() >= count;
    });
  }

  rig::Host host;
  rig::Node node;
  int port = 0;
  std::vector<Pulled> pulled;
};

}  // namespace test
