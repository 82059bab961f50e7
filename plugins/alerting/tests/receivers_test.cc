// What receivers are sent, and what their answers mean.
#include "catch.hh"

#include "email.hh"
#include "pause.hh"
#include "slack.hh"
#include "webhook.hh"

#include <sluice/cpp/guard.hh>

#include <algorithm>
#include <nlohmann/json.hpp>

using namespace alerting;

namespace {

Message message_of(std::size_t alerts) {
  Message message;
  message.rule = "low";
  message.id = "0123456789abcdef";
  message.severity = Severity::critical;
  message.at_ms = 1'772'366'400'000;
  message.kind = Message::Kind::firing;
  message.alerts = message.events = alerts;
  for (std::size_t i = 0; i < std::min<std::size_t>(alerts, 10); ++i) {
    message.lines.push_back({{{"run", "r<1>"}}, "⚠️ Low success rate", "57 &lt; 60", 1, 2, 0, 1});
  }
  return message;
}

HttpAnswer http(int status, const std::string& body, std::int64_t retry_after_ms = 0) {
  HttpAnswer answer;
  answer.status = status;
  answer.body = body;
  answer.retry_after_ms = retry_after_ms;
  return answer;
}

SmtpAnswer smtp(int code) {
  SmtpAnswer answer;
  answer.code = code;
  answer.error = "refused";
  return answer;
}

}  // namespace

TEST_CASE("receivers: Slack's message is Block Kit with a colour, within Slack's limits", "[alerting]") {
  Message message = message_of(1);
  message.lines[0].text = std::string(10'000, 'x');
  const auto sent = nlohmann::json::parse(Slack::slack_payload(message, "", ""));
  CHECK(sent["text"] == "⚠️ Low success rate");
  CHECK(sent["attachments"][0]["color"] == "#e01e5a");
  const auto& blocks = sent["attachments"][0]["blocks"];
  CHECK(blocks[0]["text"]["text"].get<std::string>().size() <= 3000);
  CHECK(blocks[0]["text"]["text"].get<std::string>().ends_with("… [cut]"));
  CHECK(blocks[1]["fields"][0]["text"] == "*run*\nr&lt;1&gt;");
  const auto many = nlohmann::json::parse(Slack::slack_payload(message_of(10'000), "C1", "12.3"));
  CHECK(many["text"] == "⚠️ Low success rate and 9,999 more (10,000 events)");
  CHECK(many["channel"] == "C1");
  CHECK(many["ts"] == "12.3");
  CHECK(many.dump().find("and 9,990 more that are not shown") != std::string::npos);
}

TEST_CASE("receivers: Slack's answers are sent, again or refused", "[alerting]") {
  using R = Answer::Result;
  CHECK(judge_slack(http(200, "ok"), false).result == R::sent);
  CHECK(judge_slack(http(200, "no_text"), false).result == R::refused);
  CHECK(judge_slack(http(400, "invalid_payload"), false).result == R::refused);
  CHECK(judge_slack(http(404, "no_service"), false).text == "HTTP 404: no_service");
  const Answer limited = judge_slack(http(429, "rate_limited", 30'000), false);
  CHECK(limited.result == R::again);
  CHECK(limited.reason == "rate_limited");
  CHECK(limited.retry_after_ms == 30'000);
  CHECK(judge_slack(http(503, ""), false).result == R::again);
  CHECK(judge_slack(http(0, ""), false).result == R::again);
  const Answer posted = judge_slack(http(200, R"({"ok":true,"channel":"C1","ts":"12.3"})"), true);
  CHECK(posted.result == R::sent);
  CHECK(posted.reference == "C1 12.3");
  CHECK(judge_slack(http(200, R"({"ok":false,"error":"channel_not_found"})"), true).result == R::refused);
  CHECK(judge_slack(http(200, R"({"ok":false,"error":"internal_error"})"), true).result == R::again);
  CHECK(judge_slack(http(200, "<html>"), true).result == R::again);
}

TEST_CASE("receivers: a login that is refused says nothing about the message: the receiver is away", "[alerting]") {
  using R = Answer::Result;
  for (const char* error : {"invalid_auth", "token_revoked", "token_expired", "not_authed", "account_inactive"}) {
    CAPTURE(error);
    const Answer answer = judge_slack(http(200, std::string(R"({"ok":false,"error":")") + error + "\"}"), true);
    CHECK(answer.result == R::away);
    CHECK(answer.reason == "auth");
    CHECK(answer.text == std::string("Slack says ") + error);
  }
  CHECK(judge_slack(http(401, "invalid_auth"), true).result == R::away);
  CHECK(judge_slack(http(403, "invalid_token"), false).result == R::away);
  CHECK(judge_slack(http(200, "invalid_token"), false).result == R::away);
  CHECK(judge_slack(http(403, "action_prohibited"), false).result == R::refused);  // by an admin, in this channel
  for (const int status : {401, 403}) CHECK(judge_http(http(status, "who are you")).result == R::away);
  CHECK(judge_http(http(404, "")).result == R::refused);
  for (const int code : {530, 534, 535, 538}) CHECK(judge_smtp(smtp(code)).result == R::away);
}

TEST_CASE("receivers: one that refuses the login is left alone for a minute, or until the secret is another",
          "[alerting]") {
  Pause pause;
  std::uint64_t secret = 7;
  const auto print = [&] { return secret; };
  CHECK_FALSE(pause.holds(1000, print));
  pause.begin(1000, 7);
  CHECK(pause.holds(1000, print));
  CHECK(pause.holds(1000 + Pause::kMs - 1, print));
  CHECK_FALSE(pause.holds(1000 + Pause::kMs, print));
  pause.begin(1000, 7);
  secret = 8;
  CHECK_FALSE(pause.holds(1001, print));
  pause.begin(1'000'000, 8);
  CHECK_FALSE(pause.holds(1000, print));  // the clock was set back
}

TEST_CASE("receivers: a mail server's replies are judged by their class", "[alerting]") {
  using R = Answer::Result;
  CHECK(judge_smtp(smtp(450)).result == R::again);
  CHECK(judge_smtp(smtp(550)).result == R::refused);
  CHECK(judge_smtp(smtp(354)).result == R::again);  // it hung up
  SmtpAnswer login = smtp(535);
  login.bad_login = true;
  CHECK(judge_smtp(login).result == R::away);
  CHECK(judge_smtp(login).reason == "auth");
}

TEST_CASE("receivers: a subject that is not ASCII is encoded, in words of at most 75 characters", "[alerting]") {
  CHECK(encoded_words("plain") == "plain");
  CHECK(encoded_words("🚨") == "=?utf-8?B?8J+aqA==?=");
  std::string sirens;
  for (int i = 0; i < 60; ++i) sirens += "🚨";
  const std::string encoded = encoded_words(sirens);
  for (std::size_t at = 0; at < encoded.size();) {
    const std::size_t end = std::min(encoded.find("\r\n ", at), encoded.size());
    CHECK(end - at <= 75);
    at = end + 3;
  }
}

TEST_CASE("receivers: a mail begins a thread or answers it, and no event can add a header", "[alerting]") {
  const Mailbox from{"Sluice", "sluice@example.org"}, to{"", "ops@example.org"};
  Message message = message_of(1);
  message.lines[0].title = "bad\r\nBcc: victim@example.org";
  const auto has = [](const Mail& mail, const std::string& line) {
    return std::find(mail.headers.begin(), mail.headers.end(), line) != mail.headers.end();
  };
  const Mail first = mail_from(message, from, to, "");
  CHECK(has(first, "Message-ID: <sluice.0123456789abcdef@example.org>"));
  CHECK(has(first, "From: Sluice <sluice@example.org>"));
  CHECK(has(first, "Subject: bad  Bcc: victim@example.org"));
  message.number = 2;
  const Mail second = mail_from(message, from, to, "");
  CHECK(has(second, "In-Reply-To: <sluice.0123456789abcdef@example.org>"));
  CHECK(has(second, "Message-ID: <sluice.0123456789abcdef.2@example.org>"));
  CHECK(second.html.find("r&lt;1&gt;") != std::string::npos);
}

TEST_CASE("receivers: what is no address is refused", "[alerting]") {
  CHECK(mailbox_from("to", "Ops Team <ops@example.org>").name == "Ops Team");
  for (const char* text : {"ops", "@example.org", "ops@", "a@b@c", "ops@example.org, b@example.org", "a b@c"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(mailbox_from("to", text), sluice::BadConfig);
  }
}

TEST_CASE("receivers: the webhook's JSON says what there is", "[alerting]") {
  const auto sent = nlohmann::json::parse(Webhook::message_as_json(message_of(2)));
  CHECK(sent["status"] == "firing");
  CHECK(sent["alerts"].size() == 2);
  CHECK(sent["alerts"][0]["labels"]["run"] == "r<1>");
  CHECK(sent["events"] == 2);
}
