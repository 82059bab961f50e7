#include "connection.hh"

namespace sluice_http {
namespace {

constexpr std::size_t kReadBytes = 8 * 1024;
constexpr std::size_t kReadBodyBytes = 64 * 1024;
constexpr std::size_t kUnreadBodyBytes =
    64 * 1024;  // a refused body up to this is read, so that the connection lives on
constexpr std::size_t kLingerBytes = 4 * 1024 * 1024;
constexpr std::chrono::milliseconds kLinger{2'000};

std::string_view text_of(beast::string_view text) noexcept { return {text.data(), text.size()}; }

}  // namespace

void Connection::next_request() {
  parser_.emplace();
  parser_->header_limit(server_.options.header_bytes_max);
  parser_->body_limit(server_.options.body_bytes_max);
  parser_->eager(false);
  judged_ = false;
  head_.method = head_.target = {};  // they pointed into the last parser
  head_.headers.clear();
  refusal_.reset();
  server_.reading_bytes -= counted_bytes_;
  counted_bytes_ = 0;
  phase_ = buffer_.size() == 0 ? Phase::idle : Phase::head;
  deadline_ns_ = server_.after(phase_ == Phase::idle ? server_.options.idle : server_.options.header);
  if (buffer_.size() == 0) {
    read();
  } else {
    advance();
  }
}

void Connection::read() {
  reading_ = true;
  socket_.async_read_some(buffer_.prepare(phase_ == Phase::body ? kReadBodyBytes : kReadBytes),
                          [self = shared_from_this()](error_code error, std::size_t bytes) {
                            self->reading_ = false;
                            if (self->phase_ == Phase::closed) return;
                            if (error) return self->close();
                            self->buffer_.commit(bytes);
                            if (self->phase_ == Phase::idle) {
                              self->phase_ = Phase::head;
                              self->deadline_ns_ = self->server_.after(self->server_.options.header);
                            }
                            if (self->phase_ == Phase::head || self->phase_ == Phase::body) return self->advance();
                            if (self->phase_ == Phase::lingering) self->discard();
                          });
}

/// Parses what is in the buffer. False: more bytes are needed, or the request was answered.
bool Connection::parse() {
  error_code error;
  const std::size_t used = parser_->put(buffer_.data(), error);
  buffer_.consume(used);
  if (error == http::error::need_more) {
    read();
    return false;
  }
  if (error) {
    bad_request(error);
    return false;
  }
  return true;
}

void Connection::advance() {
  while (true) {
    if (parser_->is_header_done() && !judged_) {
      judged_ = true;
      judge_head();
      if (phase_ != Phase::body) return;
    }
    if (judged_ && !count_body()) return;
    if (parser_->is_done()) return complete();
    if (buffer_.size() == 0) return read();
    if (!parse()) return;
  }
}

/// Keeps the sum of all bodies inside its bound; a single request always fits.
bool Connection::count_body() {
  const std::uint64_t bytes = std::max<std::uint64_t>(parser_->get().body().size(), counted_bytes_);
  server_.reading_bytes += bytes - counted_bytes_;
  counted_bytes_ = bytes;
  const std::uint64_t all = server_.reading_bytes + server_.reception.held_bytes();
  if (all <= server_.options.bodies_bytes_max || all == counted_bytes_) return true;
  refuse(later(503, "full", "too many bytes are under way; nothing was taken", 1));
  return false;
}

void Connection::judge_head() {
  phase_ = Phase::body;
  deadline_ns_ = server_.after(server_.options.body);
  const auto& request = parser_->get();
  head_.method = text_of(request.method_string());
  head_.target = text_of(request.target());
  head_.headers.clear();
  for (const auto& field : request) head_.headers.push_back({text_of(field.name_string()), text_of(field.value())});
  keep_ = parser_->keep_alive();

  const boost::optional<std::uint64_t> length = parser_->content_length();
  refusal_ = server_.reception.screen(head_);
  if (!refusal_ && request.version() == 11 && request.count(http::field::host) != 1) {
    refusal_ = refusal(400, "bad_request", "HTTP/1.1 wants one Host header");
  }
  const bool asks_first = beast::iequals(request[http::field::expect], "100-continue");
  if (refusal_) {
    // A short body is read and forgotten, so that the connection can go on; a long one is not worth it.
    const bool body_comes = parser_->chunked() || (length && *length > 0);
    const bool short_body = !parser_->chunked() && length && *length <= kUnreadBodyBytes;
    if (body_comes && (asks_first || !short_body)) refuse(std::move(*refusal_));
    return;
  }
  if (length) {
    server_.reading_bytes += *length;
    counted_bytes_ = *length;
  }
  if (asks_first && buffer_.size() == 0 && !parser_->is_done() && count_body()) write_continue();
}

void Connection::complete() {
  phase_ = Phase::waiting;
  deadline_ns_ = UINT64_MAX;
  if (refusal_) return answer(std::move(*refusal_));
  const std::shared_ptr<Caller> self = shared_from_this();
  std::optional<Answer> now = server_.reception.take(head_, parser_->get().body(), self);
  server_.reading_bytes -= counted_bytes_;
  counted_bytes_ = 0;
  if (now) answer(std::move(*now));
}

void Connection::bad_request(error_code error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return refuse(refusal(431, "head_too_large", "the request head is longer than max_header_bytes"));
  }
  if (error == http::error::body_limit) {
    return refuse(refusal(
        413, "too_large",
        "the body is longer than " + std::to_string(server_.options.body_bytes_max) + " bytes (max_body_bytes)"));
  }
  refuse(refusal(400, "bad_request", "not an HTTP/1.1 request: " + error.message()));
}

/// Answers without the rest of the request: the connection cannot be used again.
void Connection::refuse(Answer text) {
  text.close = true;
  answer(std::move(text));
}

void Connection::answer(Answer text) {
  if (phase_ == Phase::closed) return;
  phase_ = Phase::writing;
  deadline_ns_ = server_.after(server_.options.body);
  keep_ = keep_ && !text.close && !server_.stopping;
  response_ = {};
  response_.result(text.status);
  response_.version(11);
  response_.set(http::field::server, "sluice");
  if (!text.body.empty()) response_.set(http::field::content_type, "application/json");
  if (text.retry_after_s > 0) response_.set(http::field::retry_after, std::to_string(text.retry_after_s));
  if (!text.allow.empty()) response_.set(http::field::allow, beast::string_view(text.allow.data(), text.allow.size()));
  if (!text.allowed_origin.empty()) {
    response_.set("WebHook-Allowed-Origin", text.allowed_origin);
    response_.set("WebHook-Allowed-Rate", text.allowed_rate);
  }
  response_.keep_alive(keep_);
  response_.body() = std::move(text.body);
  response_.prepare_payload();
  if (head_.method == "HEAD") response_.body().clear();
  http::async_write(socket_, response_, [self = shared_from_this()](error_code error, std::size_t) {
    if (self->phase_ == Phase::closed) return;
    if (error) return self->close();
    self->written();
  });
}

void Connection::write_continue() {
  static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
  // 25 bytes into an empty socket buffer: when even that does not go, the peer is of no use.
  error_code error;
  socket_.non_blocking(true, error);
  if (socket_.write_some(asio::buffer(text.data(), text.size()), error) != text.size()) close();
}

void Connection::written() {
  // A read may still be waiting (a slow request was answered 408): then the connection ends here.
  if (keep_ && !reading_) return next_request();
  linger();
}

/// Says "no more from here" and takes what the peer still sends, for a while: closing at once could destroy the answer
/// on its way (a reset overtakes it when unread bytes are left).
void Connection::linger() {
  phase_ = Phase::lingering;
  deadline_ns_ = server_.after(kLinger);
  error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  if (error) return close();
  buffer_.consume(buffer_.size());
  if (!reading_) discard();
}

void Connection::discard() {
  socket_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](error_code error, std::size_t bytes) {
                            if (self->phase_ == Phase::closed) return;
                            self->lingered_bytes_ += bytes;
                            if (error || self->lingered_bytes_ > kLingerBytes) return self->close();
                            self->discard();
                          });
}

void Connection::sweep(std::uint64_t now_ns) {
  if (phase_ == Phase::closed || now_ns < deadline_ns_) return;
  if (phase_ == Phase::head || phase_ == Phase::body) {
    return refuse(refusal(408, "too_slow", "the request did not arrive in time"));
  }
  close();
}

}  // namespace sluice_http
