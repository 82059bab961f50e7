// Source `http`: one request is one record, and its caller is answered when the record is settled. Single-threaded: all
// of it runs on the node's lane, inside poll().
#pragma once

#include "desk.hh"
#include "front.hh"
#include "rate_limit.hh"
#include "server.hh"

#include <sluice/cpp/plugin.hh>

#include <chrono>
#include <string>

namespace sluice_http {

class Source : private Reception {
 public:
  Source(sluice::HostView host, sluice::ConfigView config);

  void start(std::chrono::milliseconds timeout);
  sluice_status poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room);
  sluice_status pull(sluice_writer& out);
  void settle(sluice::SettlementsView all);
  void stop(std::chrono::milliseconds timeout);
  [[nodiscard]] std::string summary() const;

 private:
  std::optional<Answer> screen(const RequestHead& head) override;
  std::optional<Answer> take(const RequestHead& head, std::string& body,
                             const std::shared_ptr<Caller>& caller) override;
  std::uint64_t held_bytes() const override { return desk_.waiting_bytes(); }
  std::uint64_t now_ns() const override { return host_.now_ns(); }
  void warn(std::string_view text) override { host_.log(SLUICE_LOG_WARN, text); }

  void expire();
  void show_figures() const noexcept;
  void tell_callback(const RequestHead& head);
  void publish_port(std::uint16_t port) const;

  sluice::HostView host_;
  Front front_;
  RateLimit rate_;
  std::string address_, port_file_;
  std::uint64_t settle_timeout_ns_;
  std::uint32_t retry_after_s_;
  bool stopping_ = false, full_ = false;
  std::uint64_t expired_ns_ = 0, taken_ = 0, turned_away_ = 0;
  sluice_cell *lag_, *pending_;
  Server server_;  // before the desk: the desk's callers are the server's connections
  Desk desk_;
};

}  // namespace sluice_http
