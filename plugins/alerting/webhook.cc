#include "webhook.hh"

#include <sluice/cpp/encode.hh>

namespace alerting {
namespace {

void add(std::string& out, std::string_view key, std::string_view text) {
  sluice::append_json_string(out, key);
  out += ':';
  sluice::append_json_string(out, text);
  out += ',';
}
void add(std::string& out, std::string_view key, std::int64_t number) {
  sluice::append_json_string(out, key);
  out += ':' + std::to_string(number) + ',';
}
void add(std::string& out, std::string_view key, const Labels& labels) {
  sluice::append_json_string(out, key);
  out += ":{";
  for (const auto& [name, value] : labels) add(out, name, std::string_view(value));
  if (out.back() == ',') out.pop_back();
  out += "},";
}
std::string moment(std::int64_t unix_ms) { return unix_ms == 0 ? "" : date_text(unix_ms, "%Y-%m-%dT%H:%M:%SZ"); }

}  // namespace

std::string Webhook::message_as_json(const Message& message) {
  std::string out = "{";
  add(out, "status", std::string_view(to_text(message.kind)));
  add(out, "why", std::string_view(to_text(message.why)));
  add(out, "rule", std::string_view(message.rule));
  add(out, "severity", std::string_view(to_text(message.severity)));
  add(out, "group", std::string_view(message.id));
  add(out, "group_labels", message.labels);
  add(out, "message", static_cast<std::int64_t>(message.number));
  add(out, "time", std::string_view(moment(message.at_ms)));
  add(out, "events", static_cast<std::int64_t>(message.events));
  add(out, "alert_count", static_cast<std::int64_t>(message.alerts));
  out += R"("alerts":[)";
  for (const Line& line : message.lines) {
    out += '{';
    add(out, "title", std::string_view(line.title));
    add(out, "text", std::string_view(line.text));
    add(out, "labels", line.labels);
    add(out, "count", static_cast<std::int64_t>(line.count));
    add(out, "first", std::string_view(moment(line.first_ms)));
    add(out, "last", std::string_view(moment(line.last_ms)));
    add(out, "resolved", std::string_view(moment(line.resolved_ms)));
    out.back() = '}';
    out += ',';
  }
  if (out.back() == ',') out.pop_back();
  return out + "]}";
}

TransferOptions transfer_options(sluice::ConfigView config) {
  return {config.duration("timeout"), config.text("ca_file"), config.boolean("verify")};
}

void check_url(const std::string& key, const std::string& url) {
  if (url.starts_with("http://") || url.starts_with("https://")) return;
  throw sluice::BadConfig(key + ": an address begins with https:// or http://");
}

Answer judge_http(const HttpAnswer& answer) {
  if (answer.status == 0) {
    return {Answer::Result::again, answer.timed_out ? "timeout" : "network", answer.error, 0, {}};
  }
  if (answer.status >= 200 && answer.status < 300) return {};
  const std::string said =
      "HTTP " + std::to_string(answer.status) + (answer.body.empty() ? std::string() : ": " + cut(answer.body, 200));
  if (answer.status == 429) return {Answer::Result::again, "rate_limited", said, answer.retry_after_ms, {}};
  if (answer.status >= 500 || answer.status == 408) {
    return {Answer::Result::again, "server_error", said, answer.retry_after_ms, {}};
  }
  const bool login = answer.status == 401 || answer.status == 403;
  if (login) return {Answer::Result::away, "auth", said, 0, {}};
  return {Answer::Result::refused, "client_error", said, 0, {}};
}

Webhook::Webhook(sluice::HostView, sluice::ConfigView config)
    : url_(config, "url"),
      headers_{"Content-Type: application/json; charset=utf-8"},
      transfer_(transfer_options(config)) {
  if (!url_.given()) throw sluice::BadConfig("url: it is missing; give url or url_file");
  if (!config.text("url").empty()) check_url("url", config.text("url"));
  for (const auto& [name, value] : config.map("headers")) headers_.push_back(name + ": " + value);
}

Answer Webhook::send(const Message& message) {
  return judge_http(transfer_.post(url_.value(), headers_, message_as_json(message)));
}

}  // namespace alerting
