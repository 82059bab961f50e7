// What answers mean, how headers are written and signed: from values alone.
#include "reply.hh"
#include "catch.hh"
#include "request.hh"
#include "signature.hh"

#include <sluice/ext/codes.h>

using sluice_http::Failure;
using sluice_http::http_date;
using sluice_http::Mode;
using sluice_http::Reply;
using std::chrono::seconds;

namespace {
constexpr std::int64_t kNow = 1'772'352'000;  // Sun, 01 Mar 2026 08:00:00 GMT
}

TEST_CASE("reply: the three forms of an HTTP date are read, others are not", "[http][reply]") {
  CHECK(http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784'111'777);
  CHECK(http_date("Sunday, 06-Nov-94 08:49:37 GMT") == 784'111'777);
  CHECK(http_date("Sun Nov  6 08:49:37 1994") == 784'111'777);
  CHECK(http_date("Sun, 01 Mar 2026 08:00:00 GMT") == kNow);
  for (const char* bad : {"", "soon", "06 Nov 1994", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT",
                          "2026-03-01T08:00:00Z"}) {
    CHECK_FALSE(http_date(bad));
  }
}

TEST_CASE("reply: Retry-After is seconds or a date, by the far side's clock, and bounded", "[http][reply]") {
  CHECK(sluice_http::retry_after(" 30 ", "", kNow) == seconds(30));
  CHECK(sluice_http::retry_after("Sun, 01 Mar 2026 08:02:00 GMT", "", kNow) == seconds(120));
  CHECK(sluice_http::retry_after("Sun, 01 Mar 2026 08:02:00 GMT", "Sun, 01 Mar 2026 08:01:30 GMT", 0) == seconds(30));
  CHECK(sluice_http::retry_after("Sun, 01 Mar 2026 07:00:00 GMT", "", kNow) == seconds(0));
  CHECK(sluice_http::retry_after("99999999999999999999999", "", kNow) == seconds(86'400));
  CHECK(sluice_http::retry_after("-5", "", kNow) == seconds(0));
  CHECK(sluice_http::retry_after("12 apples", "", kNow) == seconds(0));
}

TEST_CASE("reply: what never left is away, what was out costs an attempt", "[http][reply]") {
  CHECK(sluice_http::judge({Failure::unreachable, "refused"}, kNow).status == SLUICE_AWAY);
  CHECK(sluice_http::judge({Failure::unreachable, "refused"}, kNow).code == 0);
  for (const Failure perhaps : {Failure::timed_out, Failure::broken}) {
    CHECK(sluice_http::judge({perhaps, "no answer"}, kNow).status == SLUICE_AGAIN);
    CHECK(sluice_http::judge({perhaps, "no answer"}, kNow).code == SLUICE_CODE_PERHAPS_DELIVERED);
  }
}

TEST_CASE("reply: a reason quotes the beginning of the answer, printable, in one line", "[http][reply]") {
  const std::string long_text(1000, 'x');
  Reply reply;
  reply.status = 422;
  reply.body = long_text;
  CHECK(judge(reply, kNow).reason == "HTTP 422: " + std::string(200, 'x'));
  reply.body = "\r\n a\x1b[31m\r\n\tb \n";
  CHECK(judge(reply, kNow).reason == "HTTP 422: a [31m b");
}

TEST_CASE("reply: a status nobody knows is not taken for success", "[http][reply]") {
  for (const int status : {0, 100, 199, 600, 999}) {
    Reply reply;
    reply.status = status;
    CHECK(judge(reply, kNow).status == SLUICE_AGAIN);
  }
}

TEST_CASE("signature: the published example of Standard Webhooks comes out", "[http][signature]") {
  sluice_http::Signer signer("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  for (int i = 0; i < 2; ++i) {  // the second from the same key
    std::string out;
    signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", R"({"test": 2432232314})", out);
    CHECK(out == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  }
  CHECK_THROWS_AS(sluice_http::Signer("whsec_no base64!"), std::invalid_argument);
}

TEST_CASE("request: headers that would break the message or its mode are refused", "[http][request]") {
  using sluice_http::header_problem;
  CHECK(header_problem(Mode::structured, "X-Api-Key", "k").empty());
  CHECK(header_problem(Mode::structured, "content-type", "Application/CloudEvents+JSON; charset=utf-8").empty());
  CHECK_FALSE(header_problem(Mode::structured, "Content-Type", "application/cloudevents-batch+json").empty());
  CHECK_FALSE(header_problem(Mode::binary, "Content-Type", "text/plain").empty());
  for (const char* name : {"", "a b", "a:b", "Transfer-Encoding", "EXPECT", "ce-id", "h\xc3\xa9"}) {
    CHECK_FALSE(header_problem(Mode::structured, name, "v").empty());
  }
  CHECK_FALSE(header_problem(Mode::structured, "X", "a\nb").empty());
  CHECK_FALSE(header_problem(Mode::structured, "X", std::string_view("a\0b", 3)).empty());
}
