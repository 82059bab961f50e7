#include "source.hh"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace sluice_http {
namespace {

constexpr std::uint64_t kExpireEveryNs = 100'000'000;
constexpr std::size_t kCallbackBytesMax = 1024;

struct Listen {
  std::string address;
  std::uint16_t port = 0;
};

Listen parse_listen(const std::string& text) {
  const auto bad = [&] {
    return sluice::BadConfig("listen: \"" + text + "\" is no address and port; write 127.0.0.1:8620 or [::1]:8620");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 == text.size()) throw bad();
  Listen made{text.substr(0, colon), 0};
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data() + colon + 1, end, made.port);
  if (error != std::errc() || at != end) throw bad();
  if (made.address.size() > 2 && made.address.front() == '[' && made.address.back() == ']') {
    made.address = made.address.substr(1, made.address.size() - 2);
  } else if (made.address.find(':') != std::string::npos) {
    throw bad();  // an IPv6 address without brackets: where it ends is a guess
  }
  if (made.address == "localhost") made.address = "127.0.0.1";
  if (!is_ip_address(made.address)) throw bad();
  return made;
}

FrontOptions front_options(const sluice::ConfigView& config) {
  FrontOptions made;
  made.path = config.text("path");
  made.token = config.text("token");
  made.any_content = config.text("content") == "any";
  made.require_origin = config.boolean("require_origin");
  if (config.count("allowed_origins") > 0) made.consent.origins = config.texts("allowed_origins");
  made.consent.by_callback = config.boolean("grant_by_callback");
  made.consent.rate_per_minute = static_cast<std::uint64_t>(config.integer("rate_per_minute"));
  if (made.require_origin && made.consent.origins.empty()) {
    throw sluice::BadConfig("require_origin: needs allowed_origins, or nobody could deliver");
  }
  return made;
}

ServerOptions server_options(const sluice::ConfigView& config) {
  const Listen at = parse_listen(config.text("listen"));
  ServerOptions made;
  made.address = at.address;
  made.port = at.port;
  made.body_bytes_max = static_cast<std::uint64_t>(config.integer("max_body_bytes"));
  made.header_bytes_max = static_cast<std::uint32_t>(config.integer("max_header_bytes"));
  made.connections_max = static_cast<std::uint32_t>(config.integer("max_connections"));
  made.bodies_bytes_max = static_cast<std::uint64_t>(config.integer("max_in_flight_bytes"));
  made.idle = config.duration("idle_timeout");
  made.header = config.duration("header_timeout");
  made.body = config.duration("body_timeout");
  return made;
}

}  // namespace

Source::Source(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      front_(front_options(config)),
      rate_(front_.options().consent.rate_per_minute),
      address_(config.text("listen").substr(0, config.text("listen").rfind(':'))),
      port_file_(config.text("port_file")),
      settle_timeout_ns_(static_cast<std::uint64_t>(config.integer("settle_timeout")) * 1'000'000),
      retry_after_s_(static_cast<std::uint32_t>((config.integer("retry_after") + 999) / 1000)),
      lag_(host.cell(SLUICE_GAUGE, "source_lag_events",
                     "Requests that are read and wait for the graph; each may hold several events.")),
      pending_(host.cell(SLUICE_GAUGE, "source_pending_events",
                         "Requests handed over and not settled; each may hold several events.")),
      server_(server_options(config), *this),
      desk_(static_cast<std::uint32_t>(config.integer("max_in_flight")), config.boolean("raw_header_values")) {}

void Source::start(std::chrono::milliseconds) {
  std::uint16_t port = 0;
  try {
    port = server_.listen();
  } catch (const std::runtime_error& e) {
    throw sluice::BadConfig(e.what());  // a port in use does not free itself: tell it now instead of trying for ever
  }
  host_.log(SLUICE_LOG_INFO, "listening on " + address_ + ":" + std::to_string(port));
  publish_port(port);
}

/// Written beside and renamed: who finds the file finds the whole number.
void Source::publish_port(std::uint16_t port) const {
  if (port_file_.empty()) return;
  const std::string beside = port_file_ + ".new";
  std::ofstream file(beside);
  file << port << '\n';
  file.close();
  if (!file || std::rename(beside.c_str(), port_file_.c_str()) != 0) {
    throw sluice::BadConfig("port_file: cannot write " + port_file_ + ": " + std::strerror(errno));
  }
}

sluice_status Source::poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room) {
  const auto something = [&] { return room > 0 && desk_.has_waiting(); };
  server_.run(wake_fd, something() ? std::chrono::milliseconds(0) : timeout, something);
  expire();
  show_figures();
  return SLUICE_OK;
}

void Source::show_figures() const noexcept {
  sluice::set(lag_, desk_.waiting());
  sluice::set(pending_, desk_.in_use() - desk_.waiting());
}

sluice_status Source::pull(sluice_writer& out) {
  while (Request* request = desk_.oldest()) {
    const std::uint64_t bytes = request->body.size();
    const bool record_fits = out.count < out.cap;
    if (!record_fits || out.bytes_cap - out.bytes_len < bytes) {
      const std::uint32_t records = record_fits ? 0 : 1;
      if (out.grow == nullptr || out.grow(&out, records, bytes) == 0) {
        if (out.count > 0) break;
        // Alone in an empty pull and still too long: it will never fit.
        desk_.refuse_oldest(refusal(413, "too_large", "the body is longer than the host takes in one record"));
        continue;
      }
    }
    sluice_record& record = *SLUICE_RECORD(&out, out.count);
    if (bytes > 0) std::memcpy(out.bytes + out.bytes_len, request->body.data(), bytes);
    record.ptr = out.bytes + out.bytes_len;
    record.len = bytes;
    record.flags = request->flags;
    record.tag = request->tag;
    record.headers = request->attributes.attributes().data();
    record.header_count = static_cast<std::uint32_t>(request->attributes.attributes().size());
    out.bytes_len += bytes;
    ++out.count;
    desk_.pulled();
  }
  return out.count > 0 ? SLUICE_OK : SLUICE_AGAIN;
}

void Source::settle(sluice::SettlementsView all) {
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    if (!desk_.settle(all[i], retry_after_s_)) {
      host_.log(SLUICE_LOG_ERROR, "a settlement names no request of this node: " + std::to_string(all[i].tag));
    }
  }
}

void Source::stop(std::chrono::milliseconds) {
  stopping_ = true;
  server_.stop();
  desk_.refuse_waiting();
}

std::optional<Answer> Source::screen(const RequestHead& head) {
  std::optional<Answer> made = front_.screen(head);
  if (made) {
    if (head.method == "OPTIONS") tell_callback(head);
    return made;
  }
  if (!rate_.take(host_.now_ns())) {
    return later(429, "too_fast", "more requests than rate_per_minute allows", rate_.retry_after_s());
  }
  return std::nullopt;
}

/// Who may grant reads it in the log: as JSON texts and bounded, because a stranger wrote them.
void Source::tell_callback(const RequestHead& head) {
  const Consent& consent = front_.options().consent;
  const std::string_view origin = head.header("webhook-request-origin");
  const std::string_view callback = head.header("webhook-request-callback");
  if (!consent.by_callback || !allows(consent, origin) || callback.empty() || callback.size() > kCallbackBytesMax)
    return;
  std::string text = "consent is asked for by ";
  append_json(text, origin);
  text += "; to grant it, call ";
  append_json(text, callback);
  host_.log(SLUICE_LOG_INFO, text);
}

std::optional<Answer> Source::take(const RequestHead& head, std::string& body, const std::shared_ptr<Caller>& caller) {
  if (stopping_) {
    Answer made = later(503, "stopping", "this server is stopping; nothing was taken", retry_after_s_);
    made.close = true;
    return made;
  }
  Request* const request = desk_.reserve();
  if (request == nullptr) {
    ++turned_away_;
    if (!full_) host_.log(SLUICE_LOG_WARN, "max_in_flight is reached: callers get 503 until the graph catches up");
    full_ = true;
    return later(503, "busy", "too many requests wait for the graph; nothing was taken", retry_after_s_);
  }
  if (auto made = front_.read_mode(head, request->flags, request->attributes)) {
    desk_.give_back(*request);
    return made;
  }
  if (desk_.in_use() * 2 < desk_.places()) full_ = false;
  request->body.swap(body);
  request->caller = caller;
  request->deadline_ns = host_.now_ns() + settle_timeout_ns_;
  desk_.park(*request);
  ++taken_;
  return std::nullopt;
}

void Source::expire() {
  const std::uint64_t now = host_.now_ns();
  if (now - expired_ns_ < kExpireEveryNs) return;
  expired_ns_ = now;
  desk_.expire(now, retry_after_s_);
}

std::string Source::summary() const {
  return std::to_string(taken_) + " requests taken in, " + std::to_string(turned_away_) + " turned away with 503\n";
}

}  // namespace sluice_http
