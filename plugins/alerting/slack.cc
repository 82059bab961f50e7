#include "slack.hh"

#include "json_reader.hh"
#include "webhook.hh"
#include "words.hh"

#include <sluice/cpp/encode.hh>

#include <algorithm>
#include <array>
#include <string_view>

namespace alerting {
namespace {

// Slack's own limits are 3000 and 2000 characters; these are bytes, so never more.
constexpr std::size_t kSectionBytes = 2900, kFieldBytes = 1900, kTitleBytes = 1000;
constexpr std::size_t kFieldsMax = 10;

std::string color_of(const Message& message) {
  if (message.kind == Message::Kind::resolved) return "#2eb67d";
  constexpr const char* kColors[] = {"#439fe0", "#ecb22e", "#e8912d", "#e01e5a"};
  return kColors[static_cast<std::size_t>(message.severity)];
}

void add_text(std::string& out, std::string_view type, const std::string& text) {
  out += R"({"type":")";
  out += type;
  out += R"(","text":)";
  sluice::append_json_string(out, text);
  out += '}';
}

void add_section(std::string& out, const std::string& text) {
  out += R"({"type":"section","text":)";
  add_text(out, "mrkdwn", cut(text, kSectionBytes));
  out += "},";
}

void add_fields(std::string& out, const Labels& labels) {
  if (labels.empty()) return;
  out += R"({"type":"section","fields":[)";
  std::size_t count = 0;
  for (const auto& [name, value] : labels) {
    if (count++ == kFieldsMax) break;
    if (count > 1) out += ',';
    add_text(out, "mrkdwn", cut("*" + escape_slack(name) + "*\n" + escape_slack(value), kFieldBytes));
  }
  out += "]},";
}

/// Titles and texts come escaped from their templates; labels do not.
std::string blocks_of(const Message& message) {
  std::string out = "[";
  const bool one = message.alerts == 1 && message.lines.size() == 1;
  if (one) {
    if (!message.lines.front().text.empty()) add_section(out, message.lines.front().text);
    add_fields(out, message.lines.front().labels);
  } else {
    add_fields(out, message.labels);
  }
  std::string list;
  for (const Line& line : message.lines) {
    if (!one) list += "• " + line.title + (line.resolved_ms != 0 ? " (resolved)" : "") + "\n";
    if (const std::string past = history(line); !past.empty()) list += (one ? "_" : "   _") + past + "_\n";
  }
  list += remainder(message);
  if (!list.empty()) add_section(out, list);
  out += R"({"type":"context","elements":[)";
  add_text(out, "mrkdwn", escape_slack(footer(message)));
  return out + "]}]";
}

/// What Slack says of the token, not of the message: whatever is sent next gets the same answer.
bool is_refused_login(std::string_view error) {
  constexpr std::array<std::string_view, 11> kLogin{
      "invalid_auth",      "token_revoked",      "token_expired",          "not_authed",
      "account_inactive",  "org_login_required", "not_allowed_token_type", "missing_scope",
      "ekm_access_denied", "access_denied",      "invalid_token"};
  return std::find(kLogin.begin(), kLogin.end(), error) != kLogin.end();
}

}  // namespace

std::string Slack::slack_payload(const Message& message, const std::string& channel, const std::string& update_ts) {
  std::string out = "{";
  if (!channel.empty()) {
    out += R"("channel":)";
    sluice::append_json_string(out, channel);
    out += ',';
  }
  if (!update_ts.empty()) {
    out += R"("ts":)";
    sluice::append_json_string(out, update_ts);
    out += ',';
  }
  out += R"("text":)";
  sluice::append_json_string(out, cut(state_mark(message) + headline(message), kTitleBytes));
  out += R"(,"attachments":[{"color":")" + color_of(message) + R"(","blocks":)" + blocks_of(message) + "}]}";
  return out;
}

Slack::Slack(sluice::HostView, sluice::ConfigView config)
    : webhook_url_(config, "webhook_url"),
      bot_token_(config, "bot_token"),
      channel_(config.text("channel")),
      api_url_(config.text("api_url")),
      transfer_(transfer_options(config)) {
  if (webhook_url_.given() == bot_token_.given()) {
    throw sluice::BadConfig(
        "webhook_url: give either webhook_url (or webhook_url_file), or bot_token (or "
        "bot_token_file) with channel");
  }
  if (bot_token_.given() && channel_.empty()) throw sluice::BadConfig("channel: bot_token needs it");
  if (webhook_url_.given() && !channel_.empty()) {
    throw sluice::BadConfig("channel: an incoming webhook has its own; give bot_token, or leave channel out");
  }
  if (!config.text("webhook_url").empty()) check_url("webhook_url", config.text("webhook_url"));
}

Answer judge_slack(const HttpAnswer& answer, bool bot) {
  Answer judged = judge_http(answer);
  // A webhook's 403 is about its secret (invalid_token), or about the channel that an admin has closed to it.
  if (!bot && judged.result == Answer::Result::away && answer.body == "action_prohibited") {
    return {Answer::Result::refused, "client_error", judged.text, 0, {}};
  }
  if (judged.result != Answer::Result::sent) return judged;
  JsonReader reader;
  if (!bot) {
    if (answer.body == "ok") return judged;
    if (is_refused_login(answer.body)) return {Answer::Result::away, "auth", "Slack says " + answer.body, 0, {}};
    return {Answer::Result::refused, "client_error", "Slack answered 200 and \"" + cut(answer.body, 200) + "\"", 0, {}};
  }
  const auto ok = reader.open(answer.body, false) ? reader.at("/ok") : std::nullopt;
  if (!ok) return {Answer::Result::again, "server_error", "Slack's answer is not JSON", 0, {}};
  if (ok->boolean) {
    const auto ts = reader.at("/ts"), channel = reader.at("/channel");
    if (ts && channel) judged.reference = channel->text + " " + ts->text;
    return judged;
  }
  const auto error = reader.at("/error");
  const std::string why = error ? error->text : "no reason";
  constexpr std::array<std::string_view, 6> kPassing{"ratelimited", "rate_limited",        "internal_error",
                                                     "fatal_error", "service_unavailable", "request_timeout"};
  if (std::find(kPassing.begin(), kPassing.end(), why) != kPassing.end()) {
    return {
        Answer::Result::again, why.starts_with("rate") ? "rate_limited" : "server_error", "Slack says " + why, 0, {}};
  }
  if (is_refused_login(why)) return {Answer::Result::away, "auth", "Slack says " + why, 0, {}};
  return {Answer::Result::refused, "client_error", "Slack says " + why, 0, {}};
}

Answer Slack::send(const Message& message) {
  std::vector<std::string> headers{"Content-Type: application/json; charset=utf-8"};
  if (!bot_token_.given()) {
    return judge_slack(transfer_.post(webhook_url_.value(), headers, slack_payload(message, {}, {})), false);
  }
  headers.push_back("Authorization: Bearer " + bot_token_.value());
  const std::size_t blank = message.reference.find(' ');
  const bool updates = message.kind == Message::Kind::resolved && blank != message.reference.npos;
  const std::string channel = updates ? message.reference.substr(0, blank) : channel_;
  const std::string ts = updates ? message.reference.substr(blank + 1) : std::string();
  return judge_slack(transfer_.post(api_url_ + (updates ? "/chat.update" : "/chat.postMessage"), headers,
                                    slack_payload(message, channel, ts)),
                     true);
}

}  // namespace alerting
