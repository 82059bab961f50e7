// Class `alert_webhook`: a message as JSON by HTTP POST, for whatever is to act on it. And what an HTTP answer means.
#pragma once

#include "alert.hh"
#include "secret.hh"
#include "template.hh"
#include "transfer.hh"

#include <sluice/cpp/config_view.hh>
#include <sluice/cpp/host_view.hh>

#include <string>
#include <vector>

namespace alerting {

class Webhook {
 public:
  Webhook(sluice::HostView host, sluice::ConfigView config);
  static constexpr Escape kEscape = &escape_nothing;

  [[nodiscard]] Answer send(const Message& message);
  [[nodiscard]] std::string preview(const Message& message) const { return message_as_json(message); }
  void cancel() noexcept { transfer_.cancel(); }
  [[nodiscard]] std::uint64_t secret_print() const noexcept { return url_.print(); }

  [[nodiscard]] static std::string message_as_json(const Message& message);

 private:
  Secret url_;
  std::vector<std::string> headers_;
  Transfer transfer_;
};

/// 2xx sent; 429, 408 and 5xx again; 401 and 403 away; other 4xx refused, with what the body says.
[[nodiscard]] Answer judge_http(const HttpAnswer& answer);
[[nodiscard]] TransferOptions transfer_options(sluice::ConfigView config);
/// Throws sluice::BadConfig when it is no http(s) URL; never says the URL.
void check_url(const std::string& key, const std::string& url);

}  // namespace alerting
