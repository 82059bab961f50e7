// bare_redis FILE PORT WINDOW — XADD ev MAXLEN ~ 10000 * event LINE by hiredis, pipelined over one connection, at most
// WINDOW of them unanswered; every answer is read and looked at.
#include "measured.hh"

#include <hiredis/hiredis.h>

#include <algorithm>

namespace {

[[noreturn]] void fail(redisContext* redis, const redisReply* reply) {
  std::fprintf(stderr, "redis: %s\n", reply != nullptr ? reply->str : redis->errstr);
  std::exit(1);
}

void read_answers(redisContext* redis, std::uint64_t count) {
  for (; count > 0; --count) {
    void* answer = nullptr;
    if (redisGetReply(redis, &answer) != REDIS_OK) fail(redis, nullptr);
    auto* reply = static_cast<redisReply*>(answer);
    if (reply->type != REDIS_REPLY_STRING) fail(redis, reply);
    freeReplyObject(reply);
  }
}

}  // namespace

int main(int, char** arguments) {
  const auto window = std::strtoull(arguments[3], nullptr, 10);
  redisContext* redis = redisConnect("127.0.0.1", std::atoi(arguments[2]));
  if (redis == nullptr || redis->err != 0) bare::give_up("redis");
  const char* words[] = {"XADD", "ev", "MAXLEN", "~", "10000", "*", "event", nullptr};
  std::size_t lengths[] = {4, 2, 6, 1, 5, 1, 5, 0};
  std::string_view line;
  std::uint64_t sent = 0, answered = 0;
  bool more = true;
  const bare::Stopwatch watch;
  bare::Lines lines(arguments[1]);
  while (more || answered < sent) {
    while (more && sent - answered < window) {
      if (!(more = lines.next(line))) break;
      words[7] = line.data();
      lengths[7] = line.size();
      redisAppendCommandArgv(redis, 8, words, lengths);
      ++sent;
    }
    // Half a window at a time, so that the server has work while this side refills.
    const std::uint64_t wanted = more ? std::max<std::uint64_t>(1, window / 2) : sent - answered;
    read_answers(redis, wanted);
    answered += wanted;
  }
  watch.report(answered, lines.bytes());
  redisFree(redis);
  return 0;
}
