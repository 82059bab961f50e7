#include "transfers.hh"

#include "ascii.hh"

#include <curl/curl.h>
#include <curl/header.h>

#include <sys/epoll.h>
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
constexpr int kSocketsPerWait = 256;
using Clock = std::chrono::steady_clock;
constexpr Clock::time_point kAtOnce{};

/// Once per process and never undone: other modules may use libcurl too.
void start_libcurl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_ALL);
  if (started != CURLE_OK) throw std::runtime_error(std::string("libcurl: ") + curl_easy_strerror(started));
}

/// Whether any variable could name a proxy (http_proxy, ALL_PROXY, …). libcurl asks for five of them at each request.
bool environment_names_proxy() {
  constexpr std::string_view kEnd = "_proxy";
  for (char** one = environ; one != nullptr && *one != nullptr; ++one) {
    const std::string_view line = *one;
    const std::string_view name = line.substr(0, line.find('='));
    if (name.size() > kEnd.size() && same_text(name.substr(name.size() - kEnd.size()), kEnd)) return true;
  }
  return false;
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

Failure failure_of(CURLcode code, bool request_left) noexcept {
  switch (code) {
    case CURLE_OK:
    case CURLE_WRITE_ERROR:  // our own bound on the answer: the status has come
      return Failure::none;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return Failure::unreachable;
    case CURLE_OPERATION_TIMEDOUT:
      return request_left ? Failure::timed_out : Failure::unreachable;
    default:
      return request_left ? Failure::broken : Failure::unreachable;
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

std::string url_part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  std::string made(text);
  curl_free(text);
  return made;
}

}  // namespace

Target inspect_url(const std::string& url) {
  Target made;
  const ParsedUrl parsed = no_url();
  const CURLUcode bad = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME);
  if (bad != CURLUE_OK) {
    made.problem = std::string("not a URL (") + curl_url_strerror(bad) + "); write https://host/path";
    return made;
  }
  const std::string scheme = url_part(parsed.get(), CURLUPART_SCHEME);
  const std::string host = url_part(parsed.get(), CURLUPART_HOST);
  const std::string port = url_part(parsed.get(), CURLUPART_PORT);
  if (scheme != "http" && scheme != "https") {
    made.problem = "scheme " + scheme + "://; write http:// or https://";
    return made;
  }
  made.shown = scheme + "://" + host + (port.empty() ? "" : ":" + port) + url_part(parsed.get(), CURLUPART_PATH);
  made.token_in_query = url_part(parsed.get(), CURLUPART_QUERY).find("access_token=") != std::string::npos;
  return made;
}

struct Transfers::State {
  explicit State(TransferOptions with);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void configure(CURL* easy);
  void watch(int fd, int what);
  void tell_epoll(int fd, std::uint32_t events);
  void watch_wake(int fd);
  void run(curl_socket_t socket, int what) {
    int running = 0;
    curl_multi_socket_action(multi, socket, what, &running);
  }
  void run_due();
  [[nodiscard]] int wait_ms(Clock::time_point until) const;
  bool step(int timeout_ms);  // true: wake_fd is readable
  std::size_t collect(const Finish& finish);
  void finished(Pooled& transfer, CURLcode code, const Finish& finish);
  void answered(CURLcode code);
  void free(Pooled& transfer);

  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
    static_cast<State*>(self)->watch(socket, what);
    return 0;
  }
  /// A closed socket has left epoll by itself, and its number may come back as another one.
  static int on_close(void* self, curl_socket_t socket) {
    auto& me = *static_cast<State*>(self);
    if (static_cast<std::size_t>(socket) < me.watched.size()) me.watched[static_cast<std::size_t>(socket)] = {};
    return ::close(socket);
  }
  static int on_timer(CURLM*, long timeout_ms, void* self) {
    auto& me = *static_cast<State*>(self);
    me.timer_set = timeout_ms >= 0;
    // "At once" comes with every request; it needs no look at the clock.
    if (me.timer_set) me.timer = timeout_ms == 0 ? kAtOnce : Clock::now() + std::chrono::milliseconds(timeout_ms);
    return 0;
  }

  TransferOptions options;
  ParsedUrl url;
  bool tls;
  bool proxy_named = environment_names_proxy();
  struct Watched {
    std::uint32_t wanted = 0;  // what libcurl waits for now
    std::uint32_t told = 0;    // what epoll looks for; 0 = not in it
  };
  std::vector<Watched> watched;  // by descriptor
  int epoll = -1;
  int wake_fd = -1;
  CURLM* multi = nullptr;
  Slist common;
  std::deque<Pooled> pool;
  std::vector<Pooled*> idle;
  std::uint32_t under_way = 0;
  bool timer_set = false;
  Clock::time_point timer;
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
  epoll = ::epoll_create1(EPOLL_CLOEXEC);
  multi = curl_multi_init();
  if (epoll < 0 || multi == nullptr) throw std::runtime_error("webhook: no descriptor or memory left");
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
  if (epoll >= 0) ::close(epoll);
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

/// libcurl says which sockets it waits for. Between two requests it waits for none of a kept connection's: the socket
/// stays in epoll all the same, as leaving and entering would cost two calls a request.
void Transfers::State::watch(int fd, int what) {
  const auto place = static_cast<std::size_t>(fd);
  if (place >= watched.size()) watched.resize(place + 1);
  std::uint32_t wanted = 0;
  if ((what & CURL_POLL_IN) != 0 && what != CURL_POLL_REMOVE) wanted |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0 && what != CURL_POLL_REMOVE) wanted |= EPOLLOUT;
  watched[place].wanted = wanted;
  if (wanted != 0 && wanted != watched[place].told) tell_epoll(fd, wanted);
}

void Transfers::State::tell_epoll(int fd, std::uint32_t events) {
  Watched& socket = watched[static_cast<std::size_t>(fd)];
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  const int how = events == 0 ? EPOLL_CTL_DEL : socket.told == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  ::epoll_ctl(epoll, how, fd, &event);
  socket.told = events;
}

void Transfers::State::watch_wake(int fd) {
  if (fd == wake_fd) return;
  epoll_event event{};
  if (wake_fd >= 0) ::epoll_ctl(epoll, EPOLL_CTL_DEL, wake_fd, &event);
  wake_fd = fd;
  if (fd < 0) return;
  event.events = EPOLLIN;
  event.data.fd = fd;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

void Transfers::State::run_due() {
  if (!timer_set || (timer != kAtOnce && Clock::now() < timer)) return;
  timer_set = false;
  run(CURL_SOCKET_TIMEOUT, 0);
}

int Transfers::State::wait_ms(Clock::time_point until) const {
  const Clock::time_point first = timer_set ? std::min(timer, until) : until;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(first - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

bool Transfers::State::step(int timeout_ms) {
  std::array<epoll_event, kSocketsPerWait> events;
  const int count = ::epoll_wait(epoll, events.data(), kSocketsPerWait, timeout_ms);
  bool woken = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd == wake_fd) {
      woken = true;
      continue;
    }
    if (watched[static_cast<std::size_t>(event.data.fd)].wanted == 0) {
      tell_epoll(event.data.fd, 0);  // a kept connection that nobody uses says something: it is being closed
      continue;
    }
    int what = 0;
    if ((event.events & (EPOLLIN | EPOLLHUP)) != 0) what |= CURL_CSELECT_IN;
    if ((event.events & EPOLLOUT) != 0) what |= CURL_CSELECT_OUT;
    if ((event.events & EPOLLERR) != 0) what |= CURL_CSELECT_ERR;
    run(event.data.fd, what);
  }
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
  s.watch_wake(wake_fd);
  if (s.collect(finish) > 0) return;
  const Clock::time_point until = timeout.count() == 0 ? Clock::time_point() : Clock::now() + timeout;
  while (true) {
    const bool woken = s.step(timeout.count() == 0 ? 0 : s.wait_ms(until));
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
