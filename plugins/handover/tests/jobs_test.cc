// Which jobs are known, for how long, and how many.
#include "jobs.hh"

#include "catch.hh"

using handover::Job;
using handover::Jobs;

TEST_CASE("jobs: a job is handed over when its batch arrived, not when its documents are seen") {
  Jobs jobs(10, 1000);
  jobs.leave("a", 0);
  jobs.leave("a", 1);
  CHECK_FALSE(jobs.handed_over("a"));
  CHECK(jobs.open() == 1);
  jobs.hand_over("a", 2);
  CHECK(jobs.handed_over("a"));
  CHECK(jobs.open() == 0);
  jobs.leave("a", 3);
  CHECK(jobs.handed_over("a"));
}

TEST_CASE("jobs: the oldest are forgotten when there are too many, and all when their time is over") {
  Jobs jobs(2, 1000);
  jobs.hand_over("a", 0);
  jobs.hand_over("b", 1);
  jobs.hand_over("c", 2);
  CHECK_FALSE(jobs.handed_over("a"));
  CHECK(jobs.handed_over("b"));
  CHECK(jobs.size() == 2);
  CHECK(jobs.expire(1000).empty());
  CHECK(jobs.handed_over("b"));
  CHECK(jobs.expire(1001).empty());  // handed over: nothing to warn about
  CHECK_FALSE(jobs.handed_over("b"));
  CHECK(jobs.size() == 1);
}

TEST_CASE("jobs: a job that does not complete is named once, counted from its last document") {
  Jobs jobs(10, 1000);
  jobs.leave("slow", 0);
  jobs.leave("slow", 900);
  CHECK(jobs.expire(1500).empty());
  const auto late = jobs.expire(1900);
  REQUIRE(late.size() == 1);
  CHECK(late[0].id == "slow");
  CHECK(late[0].documents == 2);
  CHECK(jobs.expire(5000).empty());
}

TEST_CASE("jobs: what was written is what is read, whatever a job is called") {
  const std::string odd = "job 1%\n\xc3\xa9";
  Jobs jobs(10, 1000);
  jobs.leave("open", 5);
  jobs.hand_over(odd, 7);
  const std::string changes = jobs.take_changes();
  CHECK(jobs.take_changes().empty());
  for (const std::string& text : {changes, jobs.snapshot()}) {
    Jobs again(10, 1000);
    std::size_t from = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', from)) {
      CHECK(again.replay(text.substr(from, end - from)));
      from = end + 1;
    }
    CHECK(again.handed_over(odd));
    CHECK_FALSE(again.handed_over("open"));
    CHECK(again.open() == 1);
    CHECK(again.snapshot() == jobs.snapshot());
  }
}

TEST_CASE("jobs: a line that is none is refused") {
  Jobs jobs(10, 1000);
  for (const char* line : {"", "x 1 1 a", "d", "d 1", "d 1 ", "d 1 2", "d a 1 b", "d 1 a b"}) {
    INFO(line);
    CHECK_FALSE(jobs.replay(line));
  }
}
