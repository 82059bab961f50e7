#include "client.hh"

#include "answer.hh"

#include <sluice/cpp/guard.hh>

#include <cerrno>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <hiredis/hiredis.h>

namespace redis_streams {
namespace {

using sluice::Away;

timeval to_timeval(std::chrono::milliseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  return {.tv_sec = seconds.count(), .tv_usec = static_cast<suseconds_t>((time - seconds).count() * 1000)};
}

/// An answer as the library's reader sees it: what kind it is, and for errors its text. No object is made for it, so an
/// answered event costs no allocation.
struct Seen {
  int type = 0;
  std::string text;
};

Seen& seen(const redisReadTask* task) { return *static_cast<Seen*>(task->privdata); }

void* see_text(const redisReadTask* task, char* text, std::size_t length) {
  if (task->parent == nullptr) {
    seen(task).type = task->type;
    if (task->type == REDIS_REPLY_ERROR) seen(task).text.assign(text, length);
  }
  return task->privdata;  // anything but null
}
void* see_other(const redisReadTask* task) {
  if (task->parent == nullptr) seen(task).type = task->type;
  return task->privdata;
}
void see_nothing(void*) {}

redisReplyObjectFunctions see_functions() {
  redisReplyObjectFunctions made{};
  made.createString = see_text;
#if HIREDIS_MAJOR >= 1
  made.createArray = [](const redisReadTask* task, std::size_t) { return see_other(task); };
  made.createDouble = [](const redisReadTask* task, double, char*, std::size_t) { return see_other(task); };
  made.createBool = [](const redisReadTask* task, int) { return see_other(task); };
#else
  made.createArray = [](const redisReadTask* task, int) { return see_other(task); };
#endif
  made.createInteger = [](const redisReadTask* task, long long) { return see_other(task); };
  made.createNil = see_other;
  made.freeObject = see_nothing;
  return made;
}

}  // namespace

bool has_tls() noexcept { return false; }

struct Connection::State {
  redisContext* context = nullptr;
  Seen seen;
  redisReplyObjectFunctions functions = see_functions();
  bool output = false;
  std::uint32_t wake_at = 1;
  ~State() {
    if (context != nullptr) redisFree(context);
  }
};

Connection::Connection(const Address& address, std::chrono::milliseconds timeout) : state_(std::make_unique<State>()) {
  const timeval limit = to_timeval(timeout);
  state_->context = address.path.empty() ? redisConnectWithTimeout(address.host.c_str(), address.port, limit)
                                         : redisConnectUnixWithTimeout(address.path.c_str(), limit);
  if (state_->context == nullptr) throw Away(address.shown() + ": out of memory");
  redisContext& context = *state_->context;
  if (context.err != 0) throw Away(address.shown() + ": " + context.errstr);
  redisSetTimeout(&context, limit);
  if (address.path.empty()) redisEnableKeepAlive(&context);
  try {
    if (!address.user.empty())
      ask({"AUTH", address.user, address.password});
    else if (!address.password.empty())
      ask({"AUTH", address.password});
    if (address.database != 0) ask({"SELECT", std::to_string(address.database)});
  } catch (const Away& away) {
    throw Away(address.shown() + ": " + away.what());
  }
}

Connection::~Connection() = default;

std::string Connection::ask(std::initializer_list<std::string_view> words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> lengths;
  for (const std::string_view word : words) {
    texts.push_back(word.data());
    lengths.push_back(word.size());
  }
  redisContext& context = *state_->context;
  auto* reply = static_cast<redisReply*>(
      redisCommandArgv(&context, static_cast<int>(texts.size()), texts.data(), lengths.data()));
  if (reply == nullptr) {
    throw Away(context.err == REDIS_ERR_IO && errno == EAGAIN ? "no answer in time" : context.errstr);
  }
  const redisReply* first = reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 ? reply->element[0] : reply;
  std::string text = first->str == nullptr ? std::to_string(first->integer) : std::string(first->str, first->len);
  const bool failed = reply->type == REDIS_REPLY_ERROR;
  freeReplyObject(reply);
  if (failed) throw Away(meaning_of(text, "").reason);
  return text;
}

void Connection::go_on_without_blocking() {
  redisContext& context = *state_->context;
  const int flags = ::fcntl(context.fd, F_GETFL);
  ::fcntl(context.fd, F_SETFL, flags | O_NONBLOCK);
  context.flags &= ~REDIS_BLOCK;
  context.reader->fn = &state_->functions;
  context.reader->privdata = &state_->seen;
}

bool Connection::append(std::string_view commands) {
  state_->output = true;
  return redisAppendFormattedCommand(state_->context, commands.data(), commands.size()) == REDIS_OK;
}

bool Connection::write() {
  int done = 0;
  if (redisBufferWrite(state_->context, &done) != REDIS_OK) return false;
  state_->output = done == 0;
  return true;
}

bool Connection::wants_write() const noexcept { return state_->output; }

bool Connection::read(Answers& answers) {
  redisContext& context = *state_->context;
  if (redisBufferRead(&context) != REDIS_OK) return false;
  std::uint32_t texts = 0;
  const auto report_texts = [&] {
    if (texts > 0) answers.added(std::exchange(texts, 0));
  };
  for (;;) {
    void* reply = nullptr;
    if (redisGetReplyFromReader(&context, &reply) != REDIS_OK) return report_texts(), false;
    if (reply == nullptr) return report_texts(), true;
    switch (state_->seen.type) {
      case REDIS_REPLY_STRING:
      case REDIS_REPLY_STATUS:
        ++texts;
        break;
      case REDIS_REPLY_ERROR:
        report_texts();
        answers.refused(state_->seen.text);
        break;
      default:
        report_texts();
        answers.counted();
        break;
    }
  }
}

void Connection::wake_at(std::uint32_t bytes) noexcept {
  if (bytes == state_->wake_at) return;
  const int value = static_cast<int>(bytes);
  ::setsockopt(state_->context->fd, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value);
  state_->wake_at = bytes;
}

int Connection::fd() const noexcept { return state_->context->fd; }

std::string Connection::error() const {
  const redisContext& context = *state_->context;
  return context.err == 0 ? "the connection was closed" : context.errstr;
}

}  // namespace redis_streams
