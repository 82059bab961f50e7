#include "client.hh"

#include "library.hh"

#include <sluice/cpp/guard.hh>

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

constexpr int kIoBytes = 64 * 1024;
constexpr milliseconds kCloseWaitMax = 5s;

natsMsg* as_message(void* handle) noexcept { return static_cast<natsMsg*>(handle); }

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

}  // namespace nats
