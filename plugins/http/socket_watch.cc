#include "socket_watch.hh"

#include <unistd.h>

#include <stdexcept>

namespace sluice_http {

SocketWatch::SocketWatch() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::runtime_error("webhook: no descriptor left");
}

SocketWatch::~SocketWatch() { ::close(epoll_); }

void SocketWatch::want(int fd, bool read, bool write) {
  const auto place = static_cast<std::size_t>(fd);
  if (place >= sockets_.size()) sockets_.resize(place + 1);
  const std::uint32_t wanted = (read ? std::uint32_t{EPOLLIN} : 0U) | (write ? std::uint32_t{EPOLLOUT} : 0U);
  sockets_[place].wanted = wanted;
  if (wanted != 0 && wanted != sockets_[place].told) tell_epoll(fd, wanted);
}

void SocketWatch::forget(int fd) noexcept {
  if (static_cast<std::size_t>(fd) < sockets_.size()) sockets_[static_cast<std::size_t>(fd)] = {};
}

void SocketWatch::wake_by(int fd) {
  if (fd == wake_fd_) return;
  epoll_event event{};
  if (wake_fd_ >= 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, wake_fd_, &event);
  wake_fd_ = fd;
  if (fd < 0) return;
  event.events = EPOLLIN;
  event.data.fd = fd;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void SocketWatch::tell_epoll(int fd, std::uint32_t events) {
  Socket& socket = sockets_[static_cast<std::size_t>(fd)];
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  const int how = events == 0 ? EPOLL_CTL_DEL : socket.told == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  ::epoll_ctl(epoll_, how, fd, &event);
  socket.told = events;
}

}  // namespace sluice_http
