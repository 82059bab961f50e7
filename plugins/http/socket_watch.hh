// The sockets that one thread waits for, and the descriptor that wakes it, by epoll. It knows nothing of HTTP.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice_http {

class SocketWatch {
 public:
  /// What a socket has; an end of the other side counts as readable.
  struct Ready {
    int fd;
    bool readable, writable, failed;
  };

  /// Throws std::runtime_error when the system has no descriptor left.
  SocketWatch();
  ~SocketWatch();
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;

  /// What is waited for on a socket from now on. Nothing: it stays in epoll all the same, as leaving and entering would
  /// cost two calls for each request on a kept connection.
  void want(int fd, bool read, bool write);
  /// A closed socket has left epoll by itself, and its number may come back as another one.
  void forget(int fd) noexcept;
  /// The descriptor that ends a wait, not read here; negative: none.
  void wake_by(int fd);

  /// Waits once, at most `timeout_ms`; `each` hears of every socket that is ready and may change what is wanted. True:
  /// the descriptor that wakes is readable.
  template <class Each>
  bool wait(int timeout_ms, const Each& each) {
    std::array<epoll_event, kSocketsPerWait> events;
    const int count = ::epoll_wait(epoll_, events.data(), kSocketsPerWait, timeout_ms);
    bool woken = false;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const int fd = event.data.fd;
      if (fd == wake_fd_) {
        woken = true;
      } else if (sockets_[static_cast<std::size_t>(fd)].wanted == 0) {
        tell_epoll(fd, 0);  // a kept connection that nobody uses says something: it is being closed
      } else {
        each(Ready{fd, (event.events & (EPOLLIN | EPOLLHUP)) != 0, (event.events & EPOLLOUT) != 0,
                   (event.events & EPOLLERR) != 0});
      }
    }
    return woken;
  }

 private:
  static constexpr int kSocketsPerWait = 256;
  struct Socket {
    std::uint32_t wanted = 0;  // what is waited for now
    std::uint32_t told = 0;    // what epoll looks for; 0 = not in it
  };

  void tell_epoll(int fd, std::uint32_t events);

  std::vector<Socket> sockets_;  // by descriptor
  int epoll_ = -1;
  int wake_fd_ = -1;
};

}  // namespace sluice_http
