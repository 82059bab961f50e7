// Class `email`: messages as mail, one lane for each recipient.
#pragma once

#include "mail_text.hh"
#include "secret.hh"
#include "template.hh"
#include "transfer.hh"

#include <sluice/cpp/config_view.hh>
#include <sluice/cpp/host_view.hh>

#include <string>

namespace alerting {

class Email {
 public:
  Email(sluice::HostView host, sluice::ConfigView config);
  static constexpr Escape kEscape = &escape_nothing;  // the HTML part escapes the whole

  [[nodiscard]] Answer send(const Message& message);
  [[nodiscard]] std::string preview(const Message& message) const;
  void cancel() noexcept { transfer_.cancel(); }
  [[nodiscard]] std::uint64_t secret_print() const noexcept { return password_.print(); }

 private:
  SmtpRequest request_;  // what is the same for every mail
  Secret password_;
  Mailbox from_, to_;
  std::string subject_prefix_;
  Transfer transfer_;
};

/// By the class of the server's reply: 4xx again, 5xx refused. A login that is refused or missing says nothing about
/// the mail: away.
[[nodiscard]] Answer judge_smtp(const SmtpAnswer& answer);

}  // namespace alerting
