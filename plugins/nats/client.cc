#include "client.hh"

#include <sluice/cpp/guard.hh>

#include <nats/nats.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace nats {
namespace {

using sluice::Away;
using namespace std::chrono_literals;

constexpr milliseconds kPingEvery = 20s;
constexpr int kPingsUnansweredMax = 2;
constexpr int kIoBytes = 64 * 1024;
constexpr milliseconds kCloseWaitMax = 5s;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* what) const noexcept {
    Free(what);
  }
};
using OptionsHandle = std::unique_ptr<natsOptions, Freed<natsOptions_Destroy>>;
using ConnectionHandle = std::unique_ptr<natsConnection, Freed<natsConnection_Destroy>>;
using SubscriptionHandle = std::unique_ptr<natsSubscription, Freed<natsSubscription_Destroy>>;
using JetStream = std::unique_ptr<jsCtx, Freed<jsCtx_Destroy>>;
using StreamInfo = std::unique_ptr<jsStreamInfo, Freed<jsStreamInfo_Destroy>>;
using ConsumerInfo = std::unique_ptr<jsConsumerInfo, Freed<jsConsumerInfo_Destroy>>;

natsMsg* as_message(void* handle) noexcept { return static_cast<natsMsg*>(handle); }
std::string_view text(const char* ptr) noexcept { return ptr == nullptr ? std::string_view() : ptr; }

/// The status in words, with the library's own detail when it has one.
std::string words(natsStatus status) {
  natsStatus last = NATS_OK;
  std::string detail(text(nats_GetLastError(&last)));
  if (detail.starts_with('(')) detail.erase(0, detail.find(": ") + 2);  // a place in the library's source
  std::string out(text(natsStatus_GetText(status)));
  if (last == status && !detail.empty() && detail != out) out += ": " + detail;
  return out;
}

void set(natsStatus status, const char* what) {
  if (status != NATS_OK) throw Away(std::string(what) + ": " + words(status));
}

/// Options that every connection shares. Files that cannot be read say so here.
OptionsHandle make_options(const Address& address, milliseconds timeout) {
  natsOptions* raw = nullptr;
  set(natsOptions_Create(&raw), "options");
  OptionsHandle options(raw);
  std::vector<const char*> servers;
  for (const std::string& server : address.servers) servers.push_back(server.c_str());
  set(natsOptions_SetServers(raw, servers.data(), static_cast<int>(servers.size())), "servers");
  set(natsOptions_SetTimeout(raw, timeout.count()), "timeout");
  set(natsOptions_SetName(raw, address.name.c_str()), "name");
  set(natsOptions_SetAllowReconnect(raw, false), "reconnect");
  set(natsOptions_SetPingInterval(raw, kPingEvery.count()), "ping");
  set(natsOptions_SetMaxPingsOut(raw, kPingsUnansweredMax), "ping");
  if (!address.user.empty()) set(natsOptions_SetUserInfo(raw, address.user.c_str(), address.password.c_str()), "user");
  if (!address.token.empty()) set(natsOptions_SetToken(raw, address.token.c_str()), "token");
  if (!address.credentials_file.empty()) {
    set(natsOptions_SetUserCredentialsFromFiles(raw, address.credentials_file.c_str(), nullptr), "credentials_file");
  }
  if (!address.tls) return options;
  set(natsOptions_SetSecure(raw, true), "tls");
  if (!address.ca.empty()) set(natsOptions_LoadCATrustedCertificates(raw, address.ca.c_str()), "tls.ca_file");
  if (!address.certificate.empty()) {
    set(natsOptions_LoadCertificatesChain(raw, address.certificate.c_str(), address.key.c_str()), "tls.cert_file");
  }
  if (!address.server_name.empty()) {
    set(natsOptions_SetExpectedHostname(raw, address.server_name.c_str()), "tls.server_name");
  }
  return options;
}

[[noreturn]] void cannot_connect(const Address& address, natsStatus status) {
  std::string why = address.shown() + ": " + words(status);
  if (status == NATS_CONNECTION_AUTH_FAILED) why += ": check user and password, token or credentials_file";
  if (status == NATS_SECURE_CONNECTION_REQUIRED) why += ": the server wants TLS: set tls.enabled: true";
  if (status == NATS_SECURE_CONNECTION_WANTED) why += ": the server has no TLS: set tls.enabled: false";
  if (status == NATS_SSL_ERROR) why += ": check tls.ca_file, the server's certificate and the name it is reached by";
  throw Away(why);
}

}  // namespace

// Messages.

void Message::clear() noexcept {
  if (handle_ != nullptr) natsMsg_Destroy(as_message(std::exchange(handle_, nullptr)));
}
std::string_view Message::subject() const noexcept { return text(natsMsg_GetSubject(as_message(handle_))); }
std::string_view Message::reply() const noexcept { return text(natsMsg_GetReply(as_message(handle_))); }
std::string_view Message::body() const noexcept {
  return {natsMsg_GetData(as_message(handle_)), static_cast<std::size_t>(natsMsg_GetDataLength(as_message(handle_)))};
}
std::string_view Message::header(const char* name) const noexcept {
  const char* value = nullptr;
  return natsMsgHeader_Get(as_message(handle_), name, &value) == NATS_OK ? text(value) : std::string_view();
}
int Message::status() const noexcept {
  if (!body().empty()) return 0;
  const std::string_view text = header("Status");
  int status = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), status);
  return status;
}
void Message::headers(Headers& out) const {
  out.clear();
  const char** keys = nullptr;
  int key_count = 0;
  if (natsMsgHeader_Keys(as_message(handle_), &keys, &key_count) != NATS_OK) return;
  for (int i = 0; i < key_count; ++i) {
    const char** values = nullptr;
    int value_count = 0;
    if (natsMsgHeader_Values(as_message(handle_), keys[i], &values, &value_count) != NATS_OK) continue;
    for (int v = 0; v < value_count; ++v) out.emplace_back(keys[i], text(values[v]));
    std::free(static_cast<void*>(values));
  }
  std::free(static_cast<void*>(keys));
}

// Connections.

/// What the library's own threads write to. Alive until the library has told its last word.
struct Told {
  std::mutex mutex;
  std::condition_variable changed;
  bool closed = false;
};

struct Connection::State {
  explicit State(sluice::HostView with) : host(with) {}

  sluice::HostView host;
  std::thread::id lane = std::this_thread::get_id();
  std::atomic<bool> wants_write{false};
  int fd = -1;
  std::shared_ptr<Told> told = std::make_shared<Told>();
  std::string inbox, server;
  std::uint64_t max_payload = 0;
  OptionsHandle options;
  ConnectionHandle connection;  // closed before the subscriptions' handles go
  SubscriptionHandle answers, subscription;

  static State& of(void* it) { return *static_cast<State*>(it); }
  static natsStatus attach(void** user, void* loop, natsConnection*, natsSock socket) {
    *user = loop;
    of(loop).fd = socket;
    return NATS_OK;
  }
  static natsStatus read(void*, bool) { return NATS_OK; }
  static natsStatus write(void* user, bool add) {
    of(user).wants_write.store(add, std::memory_order_release);
    // The library's timer has a PING to send: the lane may be asleep.
    if (add && std::this_thread::get_id() != of(user).lane) of(user).host.wake();
    return NATS_OK;
  }
  static natsStatus detach(void* user) {
    of(user).fd = -1;
    return NATS_OK;
  }
  // These two come on a thread of the library's.
  static void complained(natsConnection*, natsSubscription*, natsStatus, void*) {}  // else it prints to stderr
  static void is_closed(natsConnection*, void* closure) {
    const std::shared_ptr<Told> told = *static_cast<std::shared_ptr<Told>*>(closure);
    const std::lock_guard lock(told->mutex);
    told->closed = true;
    told->changed.notify_all();
  }
};

Connection::Connection(const Address& address, milliseconds timeout, sluice::HostView host)
    : state_(std::make_unique<State>(host)) {
  State& it = *state_;
  it.options = make_options(address, timeout);
  natsOptions* options = it.options.get();
  set(natsOptions_SetIOBufSize(options, kIoBytes), "buffer");
  set(natsOptions_SetSendAsap(options, true), "send");  // no flusher thread: the lane sends
  set(natsOptions_SetEventLoop(options, &it, State::attach, State::read, State::write, State::detach), "event loop");
  set(natsOptions_SetErrorHandler(options, State::complained, &it.told), "errors");
  set(natsOptions_SetClosedCB(options, State::is_closed, &it.told), "errors");
  natsConnection* raw = nullptr;
  if (const natsStatus status = natsConnection_Connect(&raw, options); status != NATS_OK) {
    cannot_connect(address, status);
  }
  it.connection.reset(raw);
  char url[512] = "";
  if (natsConnection_GetConnectedUrl(raw, url, sizeof url) == NATS_OK) it.server = url;
  if (const std::size_t at = it.server.rfind('@'); at != it.server.npos) {
    it.server.erase(it.server.find("://") + 3, at - it.server.find("://") - 2);
  }
  it.max_payload = static_cast<std::uint64_t>(std::max<std::int64_t>(0, natsConnection_GetMaxPayload(raw)));

  natsInbox* unique = nullptr;
  set(natsInbox_Create(&unique), "inbox");
  it.inbox = unique;
  natsInbox_Destroy(unique);
  if (!address.inbox_prefix.empty()) it.inbox = address.inbox_prefix + it.inbox.substr(it.inbox.find('.'));
  natsSubscription* answers = nullptr;
  set(natsConnection_SubscribeSync(&answers, raw, (it.inbox + ".*").c_str()), "inbox");
  it.answers.reset(answers);
  set(natsSubscription_SetPendingLimits(answers, -1, -1), "inbox");  // bounded by what was asked for
}

Connection::~Connection() {
  if (state_ == nullptr || state_->connection == nullptr) return;
  state_->lane = std::this_thread::get_id();
  natsConnection_Close(state_->connection.get());
  std::unique_lock lock(state_->told->mutex);
  const bool closed = state_->told->changed.wait_for(lock, kCloseWaitMax, [&] { return state_->told->closed; });
  lock.unlock();
  if (!closed) state_.release();  // NOLINT(bugprone-unused-return-value): the library still holds it; better leaked
}

const std::string& Connection::inbox() const noexcept { return state_->inbox; }

void Connection::subscribe(const std::string& subject, const std::string& queue, std::uint32_t messages_max,
                           std::uint64_t bytes_max, milliseconds timeout) {
  natsSubscription* raw = nullptr;
  const natsStatus status =
      queue.empty() ? natsConnection_SubscribeSync(&raw, state_->connection.get(), subject.c_str())
                    : natsConnection_QueueSubscribeSync(&raw, state_->connection.get(), subject.c_str(), queue.c_str());
  set(status, ("subject '" + subject + "'").c_str());
  state_->subscription.reset(raw);
  set(natsSubscription_SetPendingLimits(raw, static_cast<int>(messages_max), static_cast<int>(bytes_max)), "limits");
  // A server handles what one connection sends in its order: when the echo is here, the subscription is there.
  Message echo;
  const auto end = std::chrono::steady_clock::now() + timeout;
  if (!publish((state_->inbox + ".echo").c_str(), nullptr, std::string_view())) throw Away(error());
  while (!take_answer(echo)) {
    exchange(-1, 20ms);
    if (const std::string why = refusal(); !why.empty())
      throw Away(why + ": may this user subscribe to '" + subject + "'?");
    if (lost()) throw Away(error());
    if (std::chrono::steady_clock::now() > end) throw Away("no answer for " + std::to_string(timeout.count()) + " ms");
  }
}

bool Connection::publish(const char* subject, const char* reply, std::string_view body) {
  natsConnection* to = state_->connection.get();
  const int bytes = static_cast<int>(body.size());
  return (reply == nullptr ? natsConnection_Publish(to, subject, body.data(), bytes)
                           : natsConnection_PublishRequest(to, subject, reply, body.data(), bytes)) == NATS_OK;
}

bool Connection::publish(const char* subject, const char* reply, const Headers& headers, std::string_view body) {
  if (headers.empty()) return publish(subject, reply, body);
  natsMsg* message = nullptr;
  natsStatus status = natsMsg_Create(&message, subject, reply, body.data(), static_cast<int>(body.size()));
  for (const auto& [name, value] : headers) {
    if (status == NATS_OK) status = natsMsgHeader_Set(message, name.c_str(), value.c_str());
  }
  if (status == NATS_OK) status = natsConnection_PublishMsg(state_->connection.get(), message);
  natsMsg_Destroy(message);
  return status == NATS_OK;
}

void Connection::exchange(int wake_fd, milliseconds timeout) {
  State& it = *state_;
  it.lane = std::this_thread::get_id();
  pollfd waiting[2] = {{.fd = wake_fd, .events = POLLIN, .revents = 0}, {.fd = it.fd, .events = POLLIN, .revents = 0}};
  if (wants_write()) waiting[1].events |= POLLOUT;
  if (it.fd < 0 || ::poll(waiting, 2, static_cast<int>(timeout.count())) <= 0) return;
  if ((waiting[1].revents & POLLOUT) != 0) natsConnection_ProcessWriteEvent(it.connection.get());
  if ((waiting[1].revents & ~POLLOUT) != 0) natsConnection_ProcessReadEvent(it.connection.get());
}

bool Connection::wants_write() const noexcept { return state_->wants_write.load(std::memory_order_acquire); }

bool Connection::take_answer(Message& out) {
  natsMsg* raw = nullptr;
  out.clear();
  const natsStatus status = natsSubscription_NextMsg(&raw, state_->answers.get(), 0);
  out.handle_ = raw;
  return status == NATS_OK || status == NATS_NO_RESPONDERS;
}

bool Connection::take(Message& out) {
  natsMsg* raw = nullptr;
  out.clear();
  natsStatus status = natsSubscription_NextMsg(&raw, state_->subscription.get(), 0);
  if (status == NATS_SLOW_CONSUMER) status = natsSubscription_NextMsg(&raw, state_->subscription.get(), 0);
  if (status != NATS_OK) return false;
  out.handle_ = raw;
  return true;
}

std::uint32_t Connection::waiting() const noexcept {
  natsSubscription* of = state_->subscription ? state_->subscription.get() : state_->answers.get();
  int messages = 0, bytes = 0;
  return natsSubscription_GetPending(of, &messages, &bytes) == NATS_OK ? static_cast<std::uint32_t>(messages) : 0;
}

std::uint64_t Connection::dropped() const noexcept {
  std::int64_t messages = 0;
  const bool known = natsSubscription_GetDropped(state_->subscription.get(), &messages) == NATS_OK;
  return known ? static_cast<std::uint64_t>(messages) : 0;
}

std::uint64_t Connection::max_payload() const noexcept { return state_->max_payload; }
const std::string& Connection::server() const noexcept { return state_->server; }
bool Connection::lost() const noexcept { return natsConnection_IsClosed(state_->connection.get()); }

std::string Connection::error() const {
  const char* last = nullptr;
  const natsStatus status = natsConnection_GetLastError(state_->connection.get(), &last);
  return std::string(status == NATS_OK ? "connection closed" : text(last));
}

std::string Connection::refusal() const {
  const char* last = nullptr;
  const natsStatus status = natsConnection_GetLastError(state_->connection.get(), &last);
  return std::string(status == NATS_NOT_PERMITTED ? text(last) : std::string_view());
}

// JetStream's one-time questions, on a connection that waits for its answers.

struct Desk::State {
  OptionsHandle options;
  ConnectionHandle connection;
  JetStream jet;
};

namespace {

constexpr std::int64_t nanoseconds(milliseconds time) noexcept { return time.count() * 1'000'000; }

bool is_absent(natsStatus status, jsErrCode code) {
  return status == NATS_NOT_FOUND || code == JSStreamNotFoundErr || code == JSConsumerNotFoundErr;
}

[[noreturn]] void refused(const std::string& what, natsStatus status) {
  std::string why = what + ": " + words(status);
  if (status == NATS_NO_RESPONDERS) why += ": JetStream is not enabled on this server (nats-server --jetstream)";
  if (status == NATS_TIMEOUT) why += ": no answer; may this user publish to $JS.API.> and subscribe to its inbox?";
  throw Away(why);
}

Desk::Consumer facts_of(const jsConsumerInfo& info) {
  const jsConsumerConfig& config = *info.Config;
  return {.ack_wait = milliseconds(config.AckWait / 1'000'000),
          .pending = info.NumPending,
          .ack_pending = static_cast<std::uint64_t>(info.NumAckPending),
          .filter = std::string(text(config.FilterSubject)),
          .can_be_pulled = text(config.DeliverSubject).empty() && config.AckPolicy == js_AckExplicit};
}

}  // namespace

Desk::Desk(const Address& address, milliseconds timeout) : state_(std::make_unique<State>()) {
  state_->options = make_options(address, timeout);
  natsConnection* raw = nullptr;
  if (const natsStatus status = natsConnection_Connect(&raw, state_->options.get()); status != NATS_OK) {
    cannot_connect(address, status);
  }
  state_->connection.reset(raw);
  jsOptions options;
  jsOptions_Init(&options);
  options.Wait = timeout.count();
  jsCtx* context = nullptr;
  set(natsConnection_JetStream(&context, raw, &options), "JetStream");
  state_->jet.reset(context);
}

Desk::~Desk() = default;

std::optional<std::vector<std::string>> Desk::subjects_of(const std::string& stream) {
  jsStreamInfo* raw = nullptr;
  jsErrCode code{};
  const natsStatus status = js_GetStreamInfo(&raw, state_->jet.get(), stream.c_str(), nullptr, &code);
  const StreamInfo info(raw);
  if (is_absent(status, code)) return std::nullopt;
  if (status != NATS_OK) refused("stream '" + stream + "'", status);
  return std::vector<std::string>(info->Config->Subjects, info->Config->Subjects + info->Config->SubjectsLen);
}

std::uint64_t Desk::last_sequence(const std::string& stream) {
  jsStreamInfo* raw = nullptr;
  const natsStatus status = js_GetStreamInfo(&raw, state_->jet.get(), stream.c_str(), nullptr, nullptr);
  const StreamInfo info(raw);
  if (status != NATS_OK) refused("stream '" + stream + "'", status);
  return info->State.LastSeq;
}

Desk::Held Desk::held_by(const std::string& stream) {
  jsStreamInfo* raw = nullptr;
  const natsStatus status = js_GetStreamInfo(&raw, state_->jet.get(), stream.c_str(), nullptr, nullptr);
  const StreamInfo info(raw);
  if (status != NATS_OK) refused("stream '" + stream + "'", status);
  return {info->State.Msgs, info->State.Msgs == 0 ? 0 : info->State.FirstTime};
}

bool Desk::make_stream(const StreamOptions& wanted) {
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  std::vector<const char*> subjects;
  for (const std::string& subject : wanted.subjects) subjects.push_back(subject.c_str());
  config.Name = wanted.name.c_str();
  config.Subjects = subjects.data();
  config.SubjectsLen = static_cast<int>(subjects.size());
  config.Storage = wanted.memory ? js_MemoryStorage : js_FileStorage;
  config.MaxAge = nanoseconds(wanted.max_age);
  config.Duplicates = nanoseconds(wanted.duplicate_window);
  if (wanted.max_bytes > 0) config.MaxBytes = wanted.max_bytes;
  if (wanted.max_messages > 0) config.MaxMsgs = wanted.max_messages;
  config.Replicas = wanted.replicas;
  jsErrCode code{};
  const natsStatus status = js_AddStream(nullptr, state_->jet.get(), &config, nullptr, &code);
  if (code == JSStreamSubjectOverlapErr) return false;
  if (status != NATS_OK) refused("stream '" + wanted.name + "' cannot be made", status);
  return true;
}

std::optional<Desk::Consumer> Desk::find_consumer(const std::string& stream, const std::string& durable) {
  jsConsumerInfo* raw = nullptr;
  jsErrCode code{};
  const natsStatus status =
      js_GetConsumerInfo(&raw, state_->jet.get(), stream.c_str(), durable.c_str(), nullptr, &code);
  const ConsumerInfo info(raw);
  if (is_absent(status, code)) return std::nullopt;
  if (status != NATS_OK) refused("consumer '" + durable + "'", status);
  return facts_of(*info);
}

Desk::Consumer Desk::make_consumer(const ConsumerOptions& wanted) {
  jsConsumerConfig config;
  jsConsumerConfig_Init(&config);
  config.Durable = wanted.durable.c_str();
  config.AckPolicy = js_AckExplicit;
  config.DeliverPolicy = wanted.from_new ? js_DeliverNew : js_DeliverAll;
  config.AckWait = nanoseconds(wanted.ack_wait);
  config.MaxDeliver = wanted.max_deliver;
  config.MaxAckPending = wanted.max_ack_pending;
  config.InactiveThreshold = nanoseconds(wanted.inactive_threshold);
  if (!wanted.filter.empty()) config.FilterSubject = wanted.filter.c_str();
  jsConsumerInfo* raw = nullptr;
  jsErrCode code{};
  const natsStatus status = js_AddConsumer(&raw, state_->jet.get(), wanted.stream.c_str(), &config, nullptr, &code);
  const ConsumerInfo info(raw);
  if (status != NATS_OK) refused("consumer '" + wanted.durable + "' cannot be made", status);
  return facts_of(*info);
}

}  // namespace nats
