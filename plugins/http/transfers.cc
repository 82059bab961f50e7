#include "transfers.hh"

#include "due_time.hh"
#include "failure.hh"
#include "socket_watch.hh"
#include "url.hh"

#include <curl/curl.h>
#include <curl/header.h>

#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <stdexcept>

namespace sluice_http {
namespace {

constexpr std::size_t kReplyKeptBytes = 256;
constexpr std::size_t kReplyBytesMax = 1024 * 1024;   // a longer answer is cut off; its status counts
constexpr std::size_t kBufferKeptBytes = 256 * 1024;  // a larger body buffer is given back after use
using Clock = DueTime::Clock;

/// Once per process and never undone: other modules may use libcurl too.
void start_libcurl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_ALL);
  if (started != CURLE_OK) throw std::runtime_error(std::string("libcurl: ") + curl_easy_strerror(started));
}

struct Easy {
  Easy() : handle(curl_easy_init()) {
    if (handle == nullptr) throw std::runtime_error("libcurl: no memory for a transfer");
  }
  ~Easy() { curl_easy_cleanup(handle); }
  Easy(const Easy&) = delete;
  Easy& operator=(const Easy&) = delete;
  CURL* handle;
};

/// libcurl reads this list and never frees it: the nodes are ours and point into HeaderLines.
struct HeaderList {
  std::vector<curl_slist> nodes;

  curl_slist* chain(HeaderLines& lines, curl_slist* rest) {
    const std::size_t count = lines.size();
    if (count == 0) return rest;
    if (nodes.size() < count) nodes.resize(count);
    for (std::size_t i = 0; i < count; ++i) nodes[i] = {lines.line(i), i + 1 < count ? &nodes[i + 1] : rest};
    return nodes.data();
  }
};

struct Pooled : Transfer {
  Easy easy;
  HeaderList list;
  std::array<char, kReplyKeptBytes> reply{};
  std::array<char, CURL_ERROR_SIZE> error{};
  std::size_t reply_bytes = 0;
  bool under_way = false;
};

std::size_t keep_reply(char* data, std::size_t size, std::size_t count, void* to) {
  auto& transfer = *static_cast<Pooled*>(to);
  const std::size_t bytes = size * count;
  if (transfer.reply_bytes < kReplyKeptBytes) {
    const std::size_t kept = std::min(bytes, kReplyKeptBytes - transfer.reply_bytes);
    std::copy_n(data, kept, transfer.reply.data() + transfer.reply_bytes);
  }
  transfer.reply_bytes += bytes;
  return transfer.reply_bytes > kReplyBytesMax ? 0 : bytes;
}

std::size_t forget_reply(char*, std::size_t size, std::size_t count, void*) { return size * count; }

long version_of(HttpVersion version, bool tls) noexcept {
  switch (version) {
    case HttpVersion::one:
      return CURL_HTTP_VERSION_1_1;
    case HttpVersion::two:
      return tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    default:
      return CURL_HTTP_VERSION_2TLS;
  }
}

std::string_view header_of(CURL* easy, const char* name) noexcept {
  curl_header* found = nullptr;
  if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK) return {};
  return found->value;
}

struct Slist {
  curl_slist* head = nullptr;
  Slist() = default;
  Slist(const Slist&) = delete;
  Slist& operator=(const Slist&) = delete;
  ~Slist() { curl_slist_free_all(head); }
  void add(const std::string& line) {
    curl_slist* const longer = curl_slist_append(head, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    head = longer;
  }
};

using ParsedUrl = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

ParsedUrl no_url() {
  ParsedUrl made(curl_url(), &curl_url_cleanup);
  if (!made) throw std::bad_alloc();
  return made;
}

}  // namespace

struct Transfers::State {
  explicit State(TransferOptions with);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void configure(CURL* easy);
  void run(curl_socket_t socket, int what) {
    int running = 0;
    curl_multi_socket_action(multi, socket, what, &running);
  }
  void run_due() {
    if (due.take()) run(CURL_SOCKET_TIMEOUT, 0);
  }
  bool step(int timeout_ms);  // true: wake_fd is readable
  std::size_t collect(const Finish& finish);
  void finished(Pooled& transfer, CURLcode code, const Finish& finish);
  void answered(CURLcode code);
  void free(Pooled& transfer);

  /// libcurl says which sockets it waits for. Between two requests it waits for none of a kept connection's.
  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
    const bool any = what != CURL_POLL_REMOVE;
    static_cast<State*>(self)->sockets.want(socket, any && (what & CURL_POLL_IN) != 0,
                                            any && (what & CURL_POLL_OUT) != 0);
    return 0;
  }
  static int on_close(void* self, curl_socket_t socket) {
    static_cast<State*>(self)->sockets.forget(socket);
    return ::close(socket);
  }
  static int on_timer(CURLM*, long timeout_ms, void* self) {
    static_cast<State*>(self)->due.set(timeout_ms);
    return 0;
  }

  TransferOptions options;
  ParsedUrl url;
  bool tls;
  bool proxy_named = environment_names_proxy();
  SocketWatch sockets;
  CURLM* multi = nullptr;
  Slist common;
  std::deque<Pooled> pool;
  std::vector<Pooled*> idle;
  std::uint32_t under_way = 0;
  DueTime due;
  // The handshake's own transfer, made when it is first needed.
  std::unique_ptr<Easy> question;
  std::unique_ptr<Slist> question_headers;
  Asked reply;
};

Transfers::State::State(TransferOptions with)
    : options(std::move(with)), url(no_url()), tls(options.url.rfind("https", 0) == 0) {
  start_libcurl();
  if (curl_url_set(url.get(), CURLUPART_URL, options.url.c_str(), 0) != CURLUE_OK) {
    throw std::runtime_error("webhook: not a URL");
  }
  multi = curl_multi_init();
  if (multi == nullptr) throw std::runtime_error("webhook: no descriptor or memory left");
  for (const std::string& line : options.headers) common.add(line);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options.in_flight_max));
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &State::on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &State::on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  for (std::uint32_t i = 0; i < options.in_flight_max; ++i) {
    Pooled& one = pool.emplace_back();
    one.number = i;
    configure(one.easy.handle);
    curl_easy_setopt(one.easy.handle, CURLOPT_POST, 1L);
    curl_easy_setopt(one.easy.handle, CURLOPT_HTTPHEADER, common.head);
    curl_easy_setopt(one.easy.handle, CURLOPT_WRITEFUNCTION, &keep_reply);
    curl_easy_setopt(one.easy.handle, CURLOPT_WRITEDATA, static_cast<void*>(&one));
    curl_easy_setopt(one.easy.handle, CURLOPT_ERRORBUFFER, one.error.data());
    curl_easy_setopt(one.easy.handle, CURLOPT_PRIVATE, static_cast<void*>(&one));
    idle.push_back(&one);
  }
  std::reverse(idle.begin(), idle.end());
}

Transfers::State::~State() {
  for (Pooled& one : pool) {
    if (one.under_way) curl_multi_remove_handle(multi, one.easy.handle);
  }
  if (question && multi != nullptr) curl_multi_remove_handle(multi, question->handle);
  pool.clear();
  question.reset();
  curl_multi_cleanup(multi);
}

/// What every request has in common.
void Transfers::State::configure(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_CURLU, url.get());  // parsed once: libcurl parses a text anew for each request
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  if (!proxy_named) curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");  // so that libcurl need not look for one
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &State::on_close);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "sluice/0.1");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version_of(options.version, tls));
  // With HTTP/2 many requests share a connection: a new one waits for the first to say so.
  const bool may_share = options.version == HttpVersion::two || (tls && options.version == HttpVersion::automatic);
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, may_share ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options.verify ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options.verify ? 2L : 0L);
  if (!options.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
}

bool Transfers::State::step(int timeout_ms) {
  const bool woken = sockets.wait(timeout_ms, [this](const SocketWatch::Ready& ready) {
    run(ready.fd, (ready.readable ? CURL_CSELECT_IN : 0) | (ready.writable ? CURL_CSELECT_OUT : 0) |
                      (ready.failed ? CURL_CSELECT_ERR : 0));
  });
  run_due();
  return woken;
}

void Transfers::State::free(Pooled& transfer) {
  transfer.under_way = false;
  transfer.body = {};
  transfer.buffer.clear();
  if (transfer.buffer.capacity() > kBufferKeptBytes) std::string().swap(transfer.buffer);
  idle.push_back(&transfer);
}

void Transfers::State::finished(Pooled& transfer, CURLcode code, const Finish& finish) {
  CURL* const easy = transfer.easy.handle;
  long status = 0, request_bytes = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  Reply made;
  made.status = static_cast<std::int32_t>(status);
  if (code != CURLE_OK) {
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    made.failure = failure_of(code, request_bytes > 0);
    // A server may answer before it has read the whole body and then end the stream without error (RFC 9113, 8.1): the
    // answer counts. libcurl 7.88 calls it a failure.
    if (code == CURLE_HTTP2_STREAM && status >= 200) made.failure = Failure::none;
    made.error = transfer.error[0] != '\0' ? transfer.error.data() : curl_easy_strerror(code);
  }
  if (!delivered(made)) {
    made.retry_after = header_of(easy, "retry-after");
    made.date = header_of(easy, "date");
    made.body = {transfer.reply.data(), std::min(transfer.reply_bytes, kReplyKeptBytes)};
  }
  curl_multi_remove_handle(multi, easy);  // from here on libcurl does not look at the body
  --under_way;
  finish(transfer, made);
  free(transfer);
}

void Transfers::State::answered(CURLcode code) {
  reply = {};
  reply.done = true;
  if (code != CURLE_OK) {
    reply.problem = curl_easy_strerror(code);
  } else {
    reply.allowed_origin = header_of(question->handle, "webhook-allowed-origin");
    reply.allowed_rate = header_of(question->handle, "webhook-allowed-rate");
  }
  curl_multi_remove_handle(multi, question->handle);
  question.reset();
}

std::size_t Transfers::State::collect(const Finish& finish) {
  std::size_t count = 0;
  int left = 0;
  while (CURLMsg* const message = curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    ++count;
    const CURLcode code = message->data.result;
    if (question && message->easy_handle == question->handle) {
      answered(code);
      continue;
    }
    void* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    finished(*static_cast<Pooled*>(transfer), code, finish);
  }
  return count;
}

Transfers::Transfers(TransferOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Transfers::~Transfers() = default;

Transfer* Transfers::take() {
  if (state_->idle.empty()) return nullptr;
  Pooled* const one = state_->idle.back();
  state_->idle.pop_back();
  one->headers.clear();
  return one;
}

void Transfers::send(Transfer& transfer) {
  State& s = *state_;
  Pooled& one = s.pool[transfer.number];
  CURL* const easy = one.easy.handle;
  one.reply_bytes = 0;
  one.error[0] = '\0';
  one.under_way = true;
  ++s.under_way;
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(one.body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, one.body.data() == nullptr ? "" : one.body.data());
  if (one.headers.size() > 0 || !one.list.nodes.empty()) {
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, one.list.chain(one.headers, s.common.head));
  }
  curl_multi_add_handle(s.multi, easy);
}

void Transfers::push() { state_->run_due(); }

void Transfers::wait(int wake_fd, std::chrono::milliseconds timeout, const Finish& finish) {
  State& s = *state_;
  s.sockets.wake_by(wake_fd);
  if (s.collect(finish) > 0) return;
  const Clock::time_point until = timeout.count() == 0 ? Clock::time_point() : Clock::now() + timeout;
  while (true) {
    const bool woken = s.step(timeout.count() == 0 ? 0 : s.due.wait_ms(until));
    if (s.collect(finish) > 0 || woken || timeout.count() == 0 || Clock::now() >= until) return;
  }
}

void Transfers::cancel(const std::function<void(Transfer&)>& each) {
  State& s = *state_;
  for (Pooled& one : s.pool) {
    if (!one.under_way) continue;
    curl_multi_remove_handle(s.multi, one.easy.handle);
    --s.under_way;
    each(one);
    s.free(one);
  }
}

std::uint32_t Transfers::in_flight() const noexcept { return state_->under_way; }

std::string Transfers::try_connect(std::chrono::milliseconds timeout) const {
  const Easy easy;
  state_->configure(easy.handle);
  curl_easy_setopt(easy.handle, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(easy.handle, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  const CURLcode code = curl_easy_perform(easy.handle);
  return code == CURLE_OK ? std::string() : curl_easy_strerror(code);
}

void Transfers::ask(const std::vector<std::string>& headers) {
  State& s = *state_;
  s.reply = {};
  s.question = std::make_unique<Easy>();
  s.question_headers = std::make_unique<Slist>();
  for (const std::string& line : s.options.headers) s.question_headers->add(line);
  for (const std::string& line : headers) s.question_headers->add(line);
  CURL* const easy = s.question->handle;
  s.configure(easy);
  curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "OPTIONS");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &forget_reply);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, s.question_headers->head);
  curl_multi_add_handle(s.multi, easy);
  push();
}

Transfers::Asked Transfers::asked() {
  Asked made = std::move(state_->reply);
  state_->reply = {};
  return made;
}

}  // namespace sluice_http
