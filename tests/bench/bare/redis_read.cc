// bare_redis_read PORT STREAM GROUP COUNT — XREADGROUP COUNT and XACK by hiredis until the stream is read: each round
// sends the acknowledgement of the last answer and the next question together. Every entry's event is looked at.
#include "measured.hh"

#include <hiredis/hiredis.h>

#include <string>

namespace {

redisReply* answer_of(redisContext* redis) {
  void* answer = nullptr;
  auto* reply = redisGetReply(redis, &answer) == REDIS_OK ? static_cast<redisReply*>(answer) : nullptr;
  if (reply == nullptr || reply->type == REDIS_REPLY_ERROR) {
    std::fprintf(stderr, "redis: %s\n", reply != nullptr ? reply->str : redis->errstr);
    std::exit(1);
  }
  return reply;
}

/// Appends words to those of a command.
struct Words {
  std::vector<const char*> texts;
  std::vector<std::size_t> lengths;
  void add(std::string_view word) {
    texts.push_back(word.data());
    lengths.push_back(word.size());
  }
  void append_to(redisContext* redis) {
    redisAppendCommandArgv(redis, static_cast<int>(texts.size()), texts.data(), lengths.data());
  }
};

}  // namespace

int main(int, char** arguments) {
  redisContext* redis = redisConnect("127.0.0.1", std::atoi(arguments[1]));
  if (redis == nullptr || redis->err != 0) bare::give_up("redis");
  const std::string stream = arguments[2], group = arguments[3], count = arguments[4];
  Words ask;
  for (const std::string_view word :
       {std::string_view("XREADGROUP"), std::string_view("GROUP"), std::string_view(group), std::string_view("bare"),
        std::string_view("COUNT"), std::string_view(count), std::string_view("STREAMS"), std::string_view(stream),
        std::string_view(">")}) {
    ask.add(word);
  }
  std::uint64_t events = 0, bytes = 0;
  const bare::Stopwatch watch;
  redisAppendCommand(redis, "XGROUP CREATE %s %s 0", stream.c_str(), group.c_str());
  freeReplyObject(answer_of(redis));
  ask.append_to(redis);
  for (;;) {
    redisReply* reply = answer_of(redis);
    if (reply->type == REDIS_REPLY_NIL) break;
    const redisReply* entries = reply->element[0]->element[1];
    Words ack;
    for (const std::string_view word : {std::string_view("XACK"), std::string_view(stream), std::string_view(group)}) {
      ack.add(word);
    }
    for (std::size_t i = 0; i < entries->elements; ++i) {
      const redisReply* id = entries->element[i]->element[0];
      const redisReply* fields = entries->element[i]->element[1];
      if (fields->elements != 2 || fields->element[1]->len == 0 || fields->element[1]->str[0] != '{') return 1;
      bytes += static_cast<std::uint64_t>(fields->element[1]->len);
      ack.add({id->str, static_cast<std::size_t>(id->len)});
    }
    events += entries->elements;
    ack.append_to(redis);
    ask.append_to(redis);
    freeReplyObject(reply);
    freeReplyObject(answer_of(redis));
  }
  watch.report(events, bytes);
  redisFree(redis);
  return 0;
}
