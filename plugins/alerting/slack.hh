// Class `slack`: messages as Block Kit, to an incoming webhook, or with a bot's token by chat.postMessage; then the end
// of an alert changes the message that told of it (chat.update).
#pragma once

#include "alert.hh"
#include "secret.hh"
#include "template.hh"
#include "transfer.hh"

#include <sluice/cpp/config_view.hh>
#include <sluice/cpp/host_view.hh>

#include <string>

namespace alerting {

class Slack {
 public:
  Slack(sluice::HostView host, sluice::ConfigView config);
  static constexpr Escape kEscape = &escape_slack;

  [[nodiscard]] Answer send(const Message& message);
  /// What would be sent, for people.
  [[nodiscard]] std::string preview(const Message& message) const { return slack_payload(message, channel_, {}); }
  void cancel() noexcept { transfer_.cancel(); }
  [[nodiscard]] std::uint64_t secret_print() const noexcept { return webhook_url_.print() ^ bot_token_.print(); }

  /// The body of the request. `update_ts`: of the message that is replaced.
  [[nodiscard]] static std::string slack_payload(const Message& message, const std::string& channel,
                                                 const std::string& update_ts);

 private:
  Secret webhook_url_, bot_token_;
  std::string channel_, api_url_;
  Transfer transfer_;
};

/// What Slack's answer means.
[[nodiscard]] Answer judge_slack(const HttpAnswer& answer, bool bot);

}  // namespace alerting
