#include "edge/signals.hh"

#include "core/setup_error.hh"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace sluice {
namespace {

sigset_t wanted() noexcept {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

Signals::Signals() {
  const sigset_t set = wanted();
  // A shell starts background jobs with SIGINT ignored, and an ignored signal never reaches a descriptor.
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGHUP, SIG_DFL);
  std::signal(SIGPIPE, SIG_IGN);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_ = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd_ < 0) throw SetupError(std::string("signalfd: ") + std::strerror(errno));
}

Signals::~Signals() {
  ::close(fd_);
  const sigset_t set = wanted();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
}

std::optional<Signals::Event> Signals::read() noexcept {
  signalfd_siginfo info;
  ssize_t got;
  do {
    got = ::read(fd_, &info, sizeof info);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  if (info.ssi_signo == SIGHUP) return Event::reload;
  if (stopping_) return Event::stop_now;
  stopping_ = true;
  return Event::stop;
}

}  // namespace sluice
