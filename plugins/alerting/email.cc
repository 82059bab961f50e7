#include "email.hh"

#include "webhook.hh"

namespace alerting {
namespace {

/// Lines of a mail end in CRLF; what is not a line end stays in the encoding.
std::string with_crlf(const std::string& text) {
  std::string out;
  out.reserve(text.size() + text.size() / 32);
  for (const char c : text) {
    if (c == '\n') out += '\r';
    if (c != '\r') out += c;
  }
  return out;
}

}  // namespace

Email::Email(sluice::HostView, sluice::ConfigView config)
    : password_(config, "password"),
      from_(mailbox_from("from", config.text("from"))),
      to_(mailbox_from("to", config.text("to/0"))),
      subject_prefix_(config.text("subject_prefix")),
      transfer_(transfer_options(config)) {
  const std::string tls = config.text("tls");
  const bool implicit = tls == "implicit";
  std::int64_t port = config.integer("port");
  if (port == 0) port = implicit ? 465 : 587;
  const std::string host = config.text("host");
  const std::string name = host.find(':') == host.npos ? host : "[" + host + "]";
  request_.url = (implicit ? "smtps://" : "smtp://") + name + ":" + std::to_string(port);
  request_.require_tls = tls == "starttls" || implicit;
  request_.try_tls = tls != "none";
  request_.user = config.text("user");
  request_.auth = config.text("auth") == "any" ? "" : config.text("auth");
  request_.helo = config.text("helo");
  request_.from = from_.address;
  request_.to = to_.address;
  if (host.find_first_of("/@ ") != host.npos) throw sluice::BadConfig("host: a name or an address, without a port");
  if (request_.user.empty() && password_.given()) throw sluice::BadConfig("user: there is a password and no user");
  if (!request_.user.empty() && !password_.given())
    throw sluice::BadConfig("password: there is a user and no password");
}

Answer judge_smtp(const SmtpAnswer& answer) {
  if (answer.sent) return {};
  const std::string text = answer.reply.empty() ? answer.error : answer.error + ": " + cut(answer.reply, 200);
  // RFC 4954: 530 a login is demanded, 534 it is too weak, 535 it is wrong, 538 it needs encryption.
  const bool login = answer.code == 530 || answer.code == 534 || answer.code == 535 || answer.code == 538;
  if (answer.bad_login || login) return {Answer::Result::away, "auth", text, 0, {}};
  if (answer.timed_out) return {Answer::Result::again, "timeout", text, 0, {}};
  if (answer.bad_tls || answer.code < 400) return {Answer::Result::again, "network", text, 0, {}};
  if (answer.code < 500) return {Answer::Result::again, "server_error", text, 0, {}};
  return {Answer::Result::refused, "client_error", text, 0, {}};
}

Answer Email::send(const Message& message) {
  Mail mail = mail_from(message, from_, to_, subject_prefix_);
  SmtpRequest request = request_;
  if (!request.user.empty()) request.password = password_.value();
  request.headers = std::move(mail.headers);
  request.text = with_crlf(mail.text);
  request.html = with_crlf(mail.html);
  return judge_smtp(transfer_.mail(request));
}

std::string Email::preview(const Message& message) const {
  const Mail mail = mail_from(message, from_, to_, subject_prefix_);
  std::string out;
  for (const std::string& header : mail.headers) out += header + "\n";
  return out + "\n" + mail.text;
}

}  // namespace alerting
