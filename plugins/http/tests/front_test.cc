// The front, the handshake and the answers: decided from values alone.
#include "front.hh"
#include "answer.hh"
#include "catch.hh"
#include "rate_limit.hh"

using sluice_http::Answer;
using sluice_http::Consent;
using sluice_http::Front;
using sluice_http::FrontOptions;
using sluice_http::RequestHead;

namespace {

RequestHead post(std::vector<sluice_http::Header> headers = {}, std::string_view target = "/events") {
  return {"POST", target, std::move(headers)};
}

unsigned screened(const FrontOptions& options, const RequestHead& head) {
  const std::optional<Answer> answer = Front(options).screen(head);
  return answer ? answer->status : 0;
}

}  // namespace

TEST_CASE("front: path and query are told apart", "[http][front]") {
  CHECK(screened({}, post({}, "/events")) == 0);
  CHECK(screened({}, post({}, "/events?a=b")) == 0);
  CHECK(screened({}, post({}, "/events/")) == 404);
  CHECK(screened({}, post({}, "/Events")) == 404);
  CHECK(screened({}, post({}, "")) == 404);
}

TEST_CASE("front: a token must match whole, wherever it stands", "[http][front]") {
  FrontOptions options;
  options.token = "abc";
  CHECK(screened(options, post()) == 401);
  CHECK(screened(options, post({{"authorization", "Bearer abc"}})) == 0);
  CHECK(screened(options, post({{"Authorization", "BEARER  abc "}})) == 0);
  for (const char* wrong : {"Bearer ab", "Bearer abcd", "Bearer abcabc", "Bearer ", "Bearer", "abc", "Basic abc"}) {
    CHECK(screened(options, post({{"Authorization", wrong}})) == 401);
  }
  CHECK(screened(options, post({}, "/events?access_token=abc")) == 0);
  CHECK(screened(options, post({}, "/events?x&access_token=%61b%63&y")) == 0);
  CHECK(screened(options, post({}, "/events?xaccess_token=abc")) == 401);
  CHECK(screened(options, post({}, "/events?access_token=ab%zz")) == 401);
  // A wrong header is not saved by a right query: one of them is not meant.
  CHECK(screened(options, post({{"Authorization", "Bearer no"}}, "/events?access_token=abc")) == 401);
}

TEST_CASE("front: two Content-Type headers are refused, whatever they say", "[http][front]") {
  CHECK(screened({}, post({{"Content-Type", "application/cloudevents+json"}, {"content-type", "text/plain"}})) == 400);
}

TEST_CASE("front: a structured request may carry ce- headers, and its body wins", "[http][front]") {
  std::uint32_t flags = 9;
  sluice::http_binding::BinaryHeaders attributes;
  const RequestHead head = post({{"Content-Type", "application/cloudevents+json"}, {"ce-id", "%FF"}});
  CHECK_FALSE(Front({}).read_mode(head, flags, attributes));
  CHECK(flags == SLUICE_SINGLE);
  CHECK(attributes.attributes().empty());
}

TEST_CASE("front: any content is a record of its own format, unless ce- headers make it an event", "[http][front]") {
  FrontOptions options;
  options.any_content = true;
  std::uint32_t flags = 9;
  sluice::http_binding::BinaryHeaders attributes;
  CHECK_FALSE(Front(options).read_mode(post({{"Content-Type", "application/json"}}), flags, attributes));
  CHECK(flags == 0);
  CHECK_FALSE(Front(options).read_mode(post({{"CE-Id", "1"}}), flags, attributes));
  CHECK(flags == SLUICE_ATTRIBUTES);
}

TEST_CASE("handshake: names compare whole and without case", "[http][handshake]") {
  const Consent consent{{"a.example"}, 0, false};
  CHECK(allows(consent, "A.EXAMPLE"));
  CHECK_FALSE(allows(consent, "a.example.evil"));
  CHECK_FALSE(allows(consent, "a.exampl"));
  CHECK_FALSE(allows(consent, ""));
  CHECK_FALSE(sluice_http::allows({{"*"}, 0, false}, ""));
}

TEST_CASE("answers: what callers wrote is quoted as valid JSON", "[http][answer]") {
  std::string out;
  sluice_http::append_json(out, std::string_view("a\"\\\n\x7f\xff\xc3\xa9\0", 9));
  CHECK(out == "\"a\\\"\\\\\\u000a\\u007f\xEF\xBF\xBD\xc3\xa9\\u0000\"");
}

TEST_CASE("answers: an outcome unknown to this build is not taken for success", "[http][answer]") {
  CHECK(sluice_http::answer_to({1, 99, 0, {}}, 5).status == 503);
  CHECK(sluice_http::answer_to({1, 99, 0, {}}, 5).retry_after_s == 5);
}

TEST_CASE("rate limit: a minute's worth at most is saved up, and it refills steadily", "[http][rate]") {
  sluice_http::RateLimit rate(60);
  std::uint64_t now = 1'000'000'000;
  const auto taken = [&] {
    int count = 0;
    while (rate.take(now)) ++count;
    return count;
  };
  CHECK(taken() == 60);
  CHECK(rate.retry_after_s() >= 1);
  now += 5'000'000'000;
  CHECK(taken() == 5);
  now += 3'600'000'000'000;
  CHECK(taken() == 60);
  now -= 1'000'000'000;  // a clock that steps back gives nothing
  CHECK(taken() == 0);
}
