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
#ifdef SLUICE_REDIS_TLS
#include <hiredis/hiredis_ssl.h>
#include "tls.hh"
#endif

namespace redis_streams {
namespace {

using sluice::Away;

// The reader's buffer is kept for the next answer unless it is larger than this.
constexpr std::size_t kReaderBytesKept = 256 * 1024;

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

int depth_of(const redisReadTask* task) noexcept {
  int depth = 0;
  for (; task->parent != nullptr; task = task->parent) ++depth;
  return depth;
}
Tokens& tokens_of(const redisReadTask* task) { return *static_cast<Tokens*>(task->privdata); }

void* token_text(const redisReadTask* task, char* text, std::size_t length) {
  if (task->type == REDIS_REPLY_ERROR)
    tokens_of(task).failed({text, length});
  else
    tokens_of(task).text(depth_of(task), task->idx, {text, length});
  return task->privdata;
}
template <class Count>
void* token_list(const redisReadTask* task, Count members) {
  tokens_of(task).list(depth_of(task), task->idx, static_cast<std::size_t>(members));
  return task->privdata;
}
void* token_nil(const redisReadTask* task) {
  tokens_of(task).nil(depth_of(task), task->idx);
  return task->privdata;
}

redisReplyObjectFunctions token_functions() {
  redisReplyObjectFunctions made{};
  made.createString = token_text;
#if HIREDIS_MAJOR >= 1
  made.createArray = token_list<std::size_t>;
  made.createDouble = [](const redisReadTask* task, double, char* text, std::size_t length) {
    return token_text(task, text, length);
  };
  made.createBool = [](const redisReadTask* task, int) { return token_nil(task); };
#else
  made.createArray = token_list<int>;
#endif
  made.createInteger = [](const redisReadTask* task, long long) { return task->privdata; };
  made.createNil = token_nil;
  made.freeObject = see_nothing;
  return made;
}

Reply tree_of(const redisReply& from) {
  Reply made;
  switch (from.type) {
    case REDIS_REPLY_ERROR:
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      made.kind = from.type == REDIS_REPLY_ERROR ? Reply::Kind::error : Reply::Kind::text;
      made.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_INTEGER:
      made.kind = Reply::Kind::number;
      made.number = from.integer;
      break;
    case REDIS_REPLY_ARRAY:
      made.kind = Reply::Kind::list;
      for (std::size_t i = 0; i < from.elements; ++i) made.list.push_back(tree_of(*from.element[i]));
      break;
    default:
      break;
  }
  return made;
}

struct FreeReply {
  void operator()(void* reply) const noexcept { freeReplyObject(reply); }
};
using ReplyHolder = std::unique_ptr<redisReply, FreeReply>;

[[noreturn]] void no_answer(const redisContext& context) {
  throw Away(context.err == REDIS_ERR_IO && errno == EAGAIN ? "no answer in time" : context.errstr);
}

}  // namespace

const Reply* Reply::find(std::string_view name) const noexcept {
  for (std::size_t i = 0; i + 1 < list.size(); i += 2) {
    if (list[i].text == name) return &list[i + 1];
  }
  return nullptr;
}

#ifdef SLUICE_REDIS_TLS
bool has_tls() noexcept { return true; }
#else
bool has_tls() noexcept { return false; }
#endif

struct Connection::State {
  redisContext* context = nullptr;
  Seen seen;
  redisReplyObjectFunctions functions = see_functions();
  redisReplyObjectFunctions to_tokens = token_functions();
  bool output = false;
  std::uint32_t wake_at = 1;
  ~State() {
    if (context != nullptr) redisFree(context);
  }
};

Connection::Connection(const Address& address, std::chrono::milliseconds timeout, [[maybe_unused]] const TlsFiles& tls)
    : state_(std::make_unique<State>()) {
  const timeval limit = to_timeval(timeout);
  state_->context = address.path.empty() ? redisConnectWithTimeout(address.host.c_str(), address.port, limit)
                                         : redisConnectUnixWithTimeout(address.path.c_str(), limit);
  if (state_->context == nullptr) throw Away(address.shown() + ": out of memory");
  redisContext& context = *state_->context;
  if (context.err != 0) throw Away(address.shown() + ": " + context.errstr);
  redisSetTimeout(&context, limit);
  if (address.path.empty()) redisEnableKeepAlive(&context);
#ifdef SLUICE_REDIS_TLS
  if (address.tls && redisInitiateSSL(&context, new_tls_session(tls, address)) != REDIS_OK) {
    throw Away(address.shown() + ": TLS: " + context.errstr);
  }
#endif
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

Reply Connection::request(std::initializer_list<std::string_view> words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> lengths;
  for (const std::string_view word : words) {
    texts.push_back(word.data());
    lengths.push_back(word.size());
  }
  redisContext& context = *state_->context;
  const ReplyHolder reply(static_cast<redisReply*>(
      redisCommandArgv(&context, static_cast<int>(texts.size()), texts.data(), lengths.data())));
  if (reply == nullptr) no_answer(context);
  return tree_of(*reply);
}

std::string Connection::ask(std::initializer_list<std::string_view> words) {
  const Reply reply = request(words);
  if (reply.kind == Reply::Kind::error) throw Away(meaning_of(reply.text, "").reason);
  const Reply& first = reply.list.empty() ? reply : reply.list.front();
  return first.kind == Reply::Kind::text ? first.text : std::to_string(first.number);
}

std::vector<Reply> Connection::request_all(std::string_view commands, std::size_t count) {
  redisContext& context = *state_->context;
  std::vector<Reply> replies;
  if (redisAppendFormattedCommand(&context, commands.data(), commands.size()) != REDIS_OK) no_answer(context);
  while (replies.size() < count) {
    void* reply = nullptr;
    if (redisGetReply(&context, &reply) != REDIS_OK || reply == nullptr) no_answer(context);
    replies.push_back(tree_of(*ReplyHolder(static_cast<redisReply*>(reply))));
  }
  return replies;
}

void Connection::set_timeout(std::chrono::milliseconds timeout) {
  redisSetTimeout(state_->context, to_timeval(timeout));
}

void Connection::stop_blocking() noexcept {
  redisContext& context = *state_->context;
  const int flags = ::fcntl(context.fd, F_GETFL);
  ::fcntl(context.fd, F_SETFL, flags | O_NONBLOCK);
  context.flags &= ~REDIS_BLOCK;
}

void Connection::go_on_without_blocking() {
  stop_blocking();
  state_->context->reader->fn = &state_->functions;
  state_->context->reader->privdata = &state_->seen;
}

void Connection::go_on_without_blocking(Tokens& tokens) {
  stop_blocking();
  state_->context->reader->fn = &state_->to_tokens;
  state_->context->reader->privdata = &tokens;
  state_->context->reader->maxbuf = kReaderBytesKept;
}

void Connection::go_on_with_replies() { stop_blocking(); }

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

bool Connection::read_tokens(bool& more) {
  redisContext& context = *state_->context;
  const std::size_t before = context.reader->len;
  if (redisBufferRead(&context) != REDIS_OK) return false;
  more = context.reader->len != before;
  for (;;) {
    void* reply = nullptr;
    if (redisGetReplyFromReader(&context, &reply) != REDIS_OK) return false;
    if (reply == nullptr) return true;
    static_cast<Tokens*>(context.reader->privdata)->finished();
  }
}

bool Connection::read_replies(std::vector<Reply>& replies) {
  redisContext& context = *state_->context;
  if (redisBufferRead(&context) != REDIS_OK) return false;
  for (;;) {
    void* reply = nullptr;
    if (redisGetReplyFromReader(&context, &reply) != REDIS_OK) return false;
    if (reply == nullptr) return true;
    replies.push_back(tree_of(*ReplyHolder(static_cast<redisReply*>(reply))));
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
