#include "catch.hh"

#include "answer.hh"

using redis_streams::meaning_of;

TEST_CASE("answer: what would hit every event is away, and names stream and cure", "[redis]") {
  for (const char* error :
       {"OOM command not allowed when used memory > 'maxmemory'.", "LOADING Redis is loading the dataset in memory",
        "READONLY You can't write against a read only replica.", "NOAUTH Authentication required.",
        "WRONGPASS invalid username-password pair or user is disabled.", "BUSY Redis is busy running a script.",
        "NOPERM this user has no permissions to run the 'xadd' command", "MISCONF Redis is configured to save RDB",
        "MASTERDOWN Link with MASTER is down", "WRONGTYPE Operation against a key holding the wrong kind of value",
        "MOVED 3999 127.0.0.1:6381", "ASK 3999 127.0.0.1:6381", "CLUSTERDOWN The cluster is down",
        "NOREPLICAS Not enough good replicas to write.", "ERR unknown command `XADD`, with args beginning with:",
        "ERR max number of clients reached", "ERR DB index is out of range"}) {
    const auto meaning = meaning_of(error, "nlp-events");
    CHECK(meaning.status == SLUICE_AWAY);
    CHECK(meaning.reason.rfind(error, 0) == 0);
    CHECK(meaning.reason.find("(stream 'nlp-events')") != std::string::npos);
  }
  CHECK(meaning_of("WRONGTYPE x", "s").reason.find("no stream") != std::string::npos);
  CHECK(meaning_of("MOVED 1 h:1", "s").reason.find("cluster") != std::string::npos);
}

TEST_CASE("answer: anything else is about the event, and uses up an attempt", "[redis]") {
  CHECK(meaning_of("ERR The stream has exhausted the last possible ID", "s").status == SLUICE_AGAIN);
  CHECK(meaning_of("", "s").status == SLUICE_AGAIN);
  CHECK(meaning_of("OOMPH is another word", "s").status == SLUICE_AGAIN);
}
