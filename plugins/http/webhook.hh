// Backend `webhook`: each event, or a batch of them, is an HTTP POST. Queueing, retries, breaker and dead letters are
// the host's; this says how each request ended. Single-threaded: sockets are served inside poll().
#pragma once

#include "handshake.hh"
#include "rate_limit.hh"
#include "request.hh"
#include "signature.hh"
#include "transfers.hh"
#include "url.hh"

#include <sluice/cpp/plugin.hh>

#include <chrono>
#include <optional>
#include <string>

namespace sluice_http {

struct WebhookOptions {
  std::string url;
  Target target;
  Mode mode = Mode::structured;
  std::uint32_t batch_events_max = 100;
  std::uint64_t batch_bytes_max = 1024 * 1024;
  std::string origin;
  bool handshake = false;
  std::uint64_t requested_rate = 0;
};

class Webhook {
 public:
  Webhook(sluice::HostView host, sluice::ConfigView config);

  sluice_status publish(sluice::BatchView batch, std::uint32_t& taken);
  void flush();
  sluice_status poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room);
  void probe(std::chrono::milliseconds timeout);
  void stop(std::chrono::milliseconds timeout);
  [[nodiscard]] std::string summary() const;

 private:
  enum class Consenting : std::uint8_t { unasked, asked, granted };

  std::uint32_t publish_single(sluice::BatchView batch);
  std::uint32_t publish_batched(sluice::BatchView batch);
  [[nodiscard]] bool may_begin();
  void send(Transfer& transfer, std::string_view id);
  void finish(Transfer& transfer, const Reply& reply);
  void seek_consent();
  void hear_consent();

  sluice::HostView host_;
  WebhookOptions options_;
  std::optional<Signer> signer_;
  Transfers transfers_;
  Transfer* open_ = nullptr;  // batched: the request that is being filled
  std::string open_id_;       // and its first event's id
  bool gone_ = false;         // 410 came
  Consenting consenting_ = Consenting::unasked;
  std::string consent_problem_;
  RateLimit rate_{0};
  bool limited_ = false;  // publish() stopped at the rate
  std::uint64_t requests_ = 0;
};

}  // namespace sluice_http
