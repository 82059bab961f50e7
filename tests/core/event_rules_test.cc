// The small rules under the decoder: timestamps, URIs, media types, base64, UTF-8, filters' globs.
#include "core/attribute.hh"
#include "core/base64.hh"
#include "core/filter.hh"
#include "core/media_type.hh"
#include "core/timestamp.hh"
#include "core/uri.hh"

#include "catch.hh"
#include "decoding.hh"

#include <sluice/cpp/http_binding.hh>

#include <array>

using namespace sluice;

TEST_CASE("timestamps: a leap second stands at the end of a month only") {
  CHECK(parse_timestamp("2016-12-31T23:59:60Z"));
  CHECK(parse_timestamp("2017-01-01T05:29:60+05:30"));
  CHECK(!parse_timestamp("2016-12-30T23:59:60Z"));
  CHECK(!parse_timestamp("2016-12-31T23:58:60Z"));
  CHECK(!parse_timestamp("2016-12-31T23:59:61Z"));
}

TEST_CASE("timestamps: days follow each other over five centuries") {
  std::int64_t expected = parse_timestamp("1582-10-15T00:00:00Z")->seconds;
  std::array<char, 24> text{};
  for (int day = 0; day < 500 * 366; ++day, expected += 86400) {
    if (expected < -9'000'000'000 || expected > 9'000'000'000) continue;  // as far as nanoseconds reach
    write_timestamp(expected * 1'000'000'000, text.data());
    const auto instant = parse_timestamp({text.data(), text.size()});
    if (!instant || instant->seconds != expected) FAIL(std::string_view(text.data(), text.size()));
  }
}

TEST_CASE("timestamps: an offset may be left out only where another envelope is read") {
  CHECK(!parse_timestamp("2026-03-01T08:09:10"));
  CHECK(parse_timestamp("2026-03-01T08:09:10", Offset::optional)->seconds == 1'772'352'550);
  CHECK(parse_timestamp("2026-03-01 08:09:10.5", Offset::optional)->nanoseconds == 500'000'000);
  CHECK(!parse_timestamp("2026-03-01T08:09:10x", Offset::optional));
}

TEST_CASE("URIs: authorities and percent signs are read to the letter") {
  for (const char* good : {"http://u:p@h:1/", "http://[v1.a:b]/", "http://[::ffff:1.2.3.4]", "a:", "//", "a%20b",
                           "x:/a//b", "http://h?a/b?c#d/e?f", "./a:b"}) {
    INFO(good);
    CHECK(is_uri_reference(good));
  }
  for (const char* bad : {"", "%", "%4", "a%4g", "http://[v.a]/", "http://[::1]x", "http://h:1:2/", "http://a b/",
                          "a#b#c", "\xC3\xA4", "a\\b", "1a:b", "http://[::1%25eth0]/", "http://u@v@w/"}) {
    INFO(bad);
    CHECK(!is_uri_reference(bad));
  }
}

TEST_CASE("media types: JSON is told from the rest by the subtype") {
  CHECK(media_type_of("text/JSON ; a=b;c=\"\\\"\"") == MediaType::json);
  CHECK(media_type_of("a/b+json") == MediaType::json);
  CHECK(media_type_of("a/bjson") == MediaType::other);
  CHECK(media_type_of("a/json+b") == MediaType::other);
  CHECK(media_type_of("a/b;c=\"") == MediaType::malformed);
  CHECK(media_type_of("a/b c") == MediaType::malformed);
}

TEST_CASE("base64: only the one canonical spelling is read") {
  std::array<char, 16> out{};
  CHECK(decode_base64("AAEC/w==", out.data()) == 4);
  CHECK(out[3] == '\xff');
  for (const char* bad : {"A", "AA", "AAA", "A===", "====", "AA=A", "=AAA", "AAB=", "AB==", "AA==AAAA"}) {
    INFO(bad);
    CHECK(!decode_base64(bad, out.data()));
  }
}

TEST_CASE("attribute texts: every byte position is checked, in texts of every length") {
  for (std::size_t length = 1; length < 40; ++length) {
    CHECK(is_attribute_text(std::string(length, '~')));
    for (std::size_t at = 0; at < length; ++at) {
      for (const char bad : {'\0', '\x1f', '\x7f'}) {
        std::string text(length, ' ');
        text[at] = bad;
        if (is_attribute_text(text)) FAIL("length " << length << ", position " << at);
      }
    }
  }
}

TEST_CASE("header values: decoding undoes encoding for every byte sequence of UTF-8") {
  for (const std::string_view text : {"a b", "100%", "\"q\"", "\xE2\x82\xAC", "+,;\\", " lead", "\x7f"}) {
    http_binding::Refusal why;
    CHECK(http_binding::decode(http_binding::encode(text), why) == text);
  }
  CHECK(http_binding::encode("Euro \xE2\x82\xAC \"%\"") == "Euro%20%E2%82%AC%20%22%25%22");
}

namespace {

bool passes(const std::string& filter, const std::string& type) {
  std::string why;
  const auto parsed = Filter::parse(filter, why);
  INFO(why);
  REQUIRE(parsed);
  Decoding decoding;
  const nlohmann::json event = {{"specversion", "1.0"}, {"id", "1"}, {"source", "/s"}, {"type", type}};
  REQUIRE(decoding.code(event.dump()) == "");
  return parsed->matches(decoding.last().raw());
}

std::string refusal(const std::string& filter) {
  std::string why;
  return Filter::parse(filter, why) ? "" : why;
}

}  // namespace

TEST_CASE("filters: type patterns match whole types, a star any run, a question mark one character") {
  const std::string filter = R"({"types":["validation.*","extraction.completed","a?c"]})";
  CHECK(passes(filter, "validation.warning"));
  CHECK(passes(filter, "validation."));
  CHECK(passes(filter, "extraction.completed"));
  CHECK(passes(filter,
               "a\xC3\xA4"
               "c"));
  CHECK(!passes(filter, "extraction.completed.x"));
  CHECK(!passes(filter, "xvalidation.y"));
  CHECK(!passes(filter, "ac"));
  CHECK(passes(R"({"types":["*a*b*"]})", "xxaybyy"));
  CHECK(!passes(R"({"types":["*a*b"]})",
                "ab"
                "c"));
  CHECK(passes(R"({"types":["*"]})", "anything"));
}

TEST_CASE("filters: a long run of stars is matched in bounded time") {
  std::string pattern, type(2000, 'a');
  for (int i = 0; i < 200; ++i) pattern += "a*";
  CHECK(!passes(R"({"types":[")" + pattern + R"(b"]})", type));
}

TEST_CASE("filters: a refusal names the place and the cure") {
  CHECK(refusal(R"({"any":[{"exact":{"type":"a"}},{"exact":{"type":""}}]})") ==
        "any[1].exact: the value for \"type\" is empty");
  CHECK(refusal(R"({"sql":"a = "})").find("sql: at byte 4: a value is missing") != std::string::npos);
  CHECK(refusal(R"({"sql":"WEIGHT(a) = 1"})").find("no function WEIGHT with 1 argument") != std::string::npos);
  CHECK(refusal(R"({"exact":{"type":"a"},"prefix":{"type":"b"}})").find("one dialect") != std::string::npos);
  CHECK(!refusal(R"({"exact":{"type":"a","type":"b"}})").empty());
  CHECK(!refusal(R"({"exact":{"data":"a"}})").empty());
  CHECK(!refusal(R"({"exact":{}})").empty());
  CHECK(!refusal(R"({"types":[]})").empty());
  CHECK(!refusal(R"({"types":[""]})").empty());
  CHECK(!refusal(R"({"types":"a"})").empty());
  CHECK(!refusal("{}").empty());
  CHECK(!refusal("").empty());
  CHECK(!refusal("7").empty());
  CHECK(!refusal(R"([[{"exact":{"type":"a"}}]])").empty());
  for (const char* broken : {R"([{"exact":{"type":"a"}])", R"({"exact":{"type":"a"})", R"({"exact":{"type":"a"}}x)",
                             R"({"exact":{"type" "a"}})", R"({"all":[{"exact":{"type":"a"}},]})", R"({"not":})"}) {
    INFO(broken);
    CHECK(!refusal(broken).empty());
  }
}

TEST_CASE("filters: nesting is bounded") {
  std::string deep = R"({"exact":{"type":"a"}})";
  for (int i = 0; i < 127; ++i) deep = R"({"not":)" + deep + "}";
  CHECK(refusal(deep).empty());
  CHECK(!refusal(R"({"not":)" + deep + "}").empty());
}

TEST_CASE("filters: an empty array passes everything") { CHECK(passes("[]", "t")); }
