#include "webhook.hh"

#include "ascii.hh"

#include <sluice/cpp/http_binding.hh>

#include <cmath>
#include <ctime>
#include <stdexcept>

namespace sluice_http {
namespace {

constexpr std::string_view kGone = "the URL answered 410 Gone earlier: it takes nothing any more";

Mode mode_of(const std::string& name) {
  if (name == "binary") return Mode::binary;
  return name == "batched" ? Mode::batched : Mode::structured;
}

HttpVersion version_of(const std::string& name) {
  if (name == "1.1") return HttpVersion::one;
  return name == "2" ? HttpVersion::two : HttpVersion::automatic;
}

/// The node's one URL: the host makes a node for each element of `urls`.
std::string url_of(const sluice::ConfigView& config) {
  std::vector<std::string> urls;
  if (config.count("urls") > 0) urls = config.texts("urls");
  if (config.has("url") && !config.text("url").empty()) urls.push_back(config.text("url"));
  if (urls.size() != 1) {
    throw sluice::BadConfig(urls.empty() ? "url: where to deliver is missing" : "give url or urls, not both");
  }
  return urls.front();
}

WebhookOptions webhook_options(const sluice::ConfigView& config) {
  WebhookOptions made;
  made.url = url_of(config);
  made.target = inspect_url(made.url);
  if (!made.target.problem.empty()) throw sluice::BadConfig("url: " + made.target.problem);
  made.mode = mode_of(config.text("mode"));
  made.batch_events_max = static_cast<std::uint32_t>(config.integer("batch_size"));
  made.batch_bytes_max = static_cast<std::uint64_t>(config.integer("batch_bytes"));
  made.origin = config.text("origin");
  made.handshake = config.boolean("handshake");
  made.requested_rate = static_cast<std::uint64_t>(config.integer("requested_rate"));
  if (made.handshake && made.origin.empty()) throw sluice::BadConfig("handshake: needs origin, the name that asks");
  if (const std::string bad = header_problem(made.mode, "WebHook-Request-Origin", made.origin); !bad.empty()) {
    throw sluice::BadConfig("origin: " + bad);
  }
  return made;
}

TransferOptions transfer_options(const sluice::ConfigView& config, const WebhookOptions& webhook) {
  TransferOptions made;
  made.url = webhook.url;
  bool has_content_type = false;
  for (const auto& [name, value] : config.map("headers")) {
    // The value may be a secret: only the name is told.
    if (const std::string bad = header_problem(webhook.mode, name, value); !bad.empty()) {
      throw sluice::BadConfig(std::string("headers/").append(name).append(": ").append(bad));
    }
    has_content_type = has_content_type || same_text(name, "content-type");
    std::string& line = made.headers.emplace_back(name);
    line.append(value.empty() ? ";" : ": ").append(value);  // "Name;" is libcurl's way of an empty value
  }
  if (!has_content_type && webhook.mode != Mode::binary) {
    made.headers.push_back("Content-Type: " + std::string(content_type_of(webhook.mode)));
  }
  if (!webhook.origin.empty()) made.headers.push_back("WebHook-Request-Origin: " + webhook.origin);
  if (webhook.target.token_in_query) made.headers.emplace_back("Cache-Control: no-store");
  made.headers.emplace_back("Expect:");  // libcurl's default would cost a round trip on larger bodies
  made.timeout =
      std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(config.number("timeout_seconds") * 1000)));
  made.version = version_of(config.text("http_version"));
  made.verify = config.boolean("verify_ssl");
  made.ca_file = config.text("ca_file");
  made.in_flight_max = static_cast<std::uint32_t>(config.integer("max_in_flight"));
  return made;
}

std::optional<Signer> signer_of(const sluice::ConfigView& config) {
  const std::string secret = config.text("signature/secret");
  if (secret.empty()) return std::nullopt;
  try {
    return std::optional<Signer>(std::in_place, secret);
  } catch (const std::invalid_argument& e) {
    throw sluice::BadConfig(std::string("signature/secret: ") + e.what());
  }
}

}  // namespace

Webhook::Webhook(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      options_(webhook_options(config)),
      signer_(signer_of(config)),
      transfers_(transfer_options(config, options_)) {
  if (!options_.handshake) consenting_ = Consenting::granted;
  if (!config.boolean("verify_ssl") && begins_with(options_.url, "https")) {
    host_.log(SLUICE_LOG_WARN, "verify_ssl is off: anybody can pose as " + options_.target.shown);
  }
}

sluice_status Webhook::publish(sluice::BatchView batch, std::uint32_t& taken) {
  if (gone_) {
    taken = batch.size();
    host_.complete(batch.ticket(), taken, SLUICE_REJECTED, kGone, 410);
    return SLUICE_OK;
  }
  if (consenting_ != Consenting::granted) {
    seek_consent();
    if (!consent_problem_.empty()) throw sluice::Away(consent_problem_);
    return SLUICE_OK;
  }
  taken = options_.mode == Mode::batched ? publish_batched(batch) : publish_single(batch);
  transfers_.push();
  return SLUICE_OK;
}

std::uint32_t Webhook::publish_single(sluice::BatchView batch) {
  std::uint32_t taken = 0;
  while (taken < batch.size()) {
    Transfer* const transfer = may_begin() ? transfers_.take() : nullptr;
    if (transfer == nullptr) break;
    const sluice::EventView event = batch[taken];
    transfer->ticket = batch.ticket() + taken;
    transfer->events = 1;
    if (options_.mode == Mode::binary) {
      add_attributes(event, transfer->headers);
      transfer->body = event.data();
    } else {
      transfer->body = event.json();
    }
    send(*transfer, event.id());
    ++taken;
  }
  return taken;
}

std::uint32_t Webhook::publish_batched(sluice::BatchView batch) {
  std::uint32_t taken = 0;
  while (taken < batch.size()) {
    const sluice::EventView event = batch[taken];
    if (open_ != nullptr && open_->buffer.size() + event.json().size() + 2 > options_.batch_bytes_max) flush();
    if (open_ == nullptr) {
      if (!may_begin() || (open_ = transfers_.take()) == nullptr) break;
      open_->ticket = batch.ticket() + taken;
      open_->events = 0;
      open_id_ = event.id();
    }
    open_->buffer += open_->events == 0 ? '[' : ',';
    open_->buffer += event.json();
    ++open_->events;
    ++taken;
    if (open_->events >= options_.batch_events_max) flush();
  }
  return taken;
}

void Webhook::flush() {
  if (open_ == nullptr) return;
  Transfer& transfer = *open_;
  open_ = nullptr;
  transfer.buffer += ']';
  transfer.body = transfer.buffer;
  send(transfer, open_id_);
  transfers_.push();
}

/// False: the granted rate is used up for now; poll() then comes back in time.
bool Webhook::may_begin() {
  limited_ = !rate_.take(host_.now_ns());
  return !limited_;
}

void Webhook::send(Transfer& transfer, std::string_view id) {
  if (signer_) {
    // The id travels in a header, so it is signed as the header has it.
    const std::string name = sluice::http_binding::encode(id);
    const std::string timestamp = std::to_string(std::time(nullptr));
    transfer.headers.add("webhook-id", name);
    transfer.headers.add("webhook-timestamp", timestamp);
    std::string& line = transfer.headers.begin().append("webhook-signature: ");
    signer_->sign(name, timestamp, transfer.body, line);
    transfer.headers.end();
  }
  ++requests_;
  transfers_.send(transfer);
}

sluice_status Webhook::poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t) {
  if (timeout.count() != 0) flush();  // the lane goes to sleep: nothing that it handed over may wait here
  if (limited_) timeout = std::min(timeout, std::chrono::milliseconds(rate_.wait_ms()));
  transfers_.wait(wake_fd, timeout, [this](Transfer& transfer, const Reply& reply) { finish(transfer, reply); });
  hear_consent();
  return SLUICE_OK;
}

void Webhook::finish(Transfer& transfer, const Reply& reply) {
  if (delivered(reply)) {
    host_.complete(transfer.ticket, transfer.events);
    return;
  }
  const Judgement made = judge(reply, std::time(nullptr));
  if (made.gone && !gone_) {
    gone_ = true;
    host_.log(SLUICE_LOG_ERROR, options_.target.shown +
                                    " answered 410 Gone: nothing is sent there any more; remove it "
                                    "from the configuration, or restart to try again");
  }
  host_.complete(transfer.ticket, transfer.events, made.status, made.reason, made.code, made.retry_after);
}

void Webhook::seek_consent() {
  if (consenting_ == Consenting::asked) return;
  std::vector<std::string> headers;
  if (options_.requested_rate > 0) {
    headers.push_back("WebHook-Request-Rate: " + std::to_string(options_.requested_rate));
  }
  consenting_ = Consenting::asked;
  transfers_.ask(headers);
}

void Webhook::hear_consent() {
  if (consenting_ != Consenting::asked) return;
  const Transfers::Asked reply = transfers_.asked();
  if (!reply.done) return;
  const MaySend word =
      judge_consent(options_.origin, options_.requested_rate, reply.allowed_origin, reply.allowed_rate);
  if (word.granted) {
    consenting_ = Consenting::granted;
    consent_problem_.clear();
    rate_ = RateLimit(word.rate_per_minute.value_or(0));
    host_.log(SLUICE_LOG_INFO, options_.target.shown + " lets us send" +
                                   (word.rate_per_minute ? ", " + std::to_string(*word.rate_per_minute) + " a minute"
                                                         : std::string(" at any rate")));
  } else {
    consenting_ = Consenting::unasked;  // asked again when the host offers events again: its back-off paces that
    consent_problem_ = reply.problem.empty()
                           ? options_.target.shown + " gives no consent to " + options_.origin + " (webhook handshake)"
                           : reply.problem;
  }
  host_.wake();
}

void Webhook::probe(std::chrono::milliseconds timeout) {
  const std::string problem = transfers_.try_connect(timeout);
  if (!problem.empty()) throw sluice::Away(options_.target.shown + ": " + problem);
}

void Webhook::stop(std::chrono::milliseconds) {
  const auto give_back = [this](Transfer& transfer) {
    host_.complete(transfer.ticket, transfer.events, SLUICE_CANCELLED, "the node was stopped first");
  };
  if (open_ != nullptr) give_back(*open_);
  open_ = nullptr;
  transfers_.cancel(give_back);
}

std::string Webhook::summary() const {
  return std::to_string(requests_) + " requests to " + options_.target.shown + "\n";
}

}  // namespace sluice_http
