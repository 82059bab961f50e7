// Dead letters: valid events whatever the reason holds, with the facts as attributes.
#include "core/dead_letter.hh"

#include "catch.hh"
#include "core/attribute.hh"
#include "decoding.hh"

#include <sluice/cpp/utf8.hh>

using namespace sluice;

namespace {

constexpr std::int64_t kFirst = 1'772'352'550'123'000'000;  // 2026-03-01T08:09:10.123Z

DeadLetterFacts facts(std::string_view reason, std::int32_t code = 503) {
  return {.node = "webhook[1]",
          .reason = reason,
          .code = code,
          .attempts = 5,
          .first_unix_ns = kFirst,
          .last_unix_ns = kFirst + 61'000'000'000};
}

nlohmann::json wrapped(std::string_view bytes, const DeadLetterFacts& what, std::string_view hint = "",
                       std::uint64_t unique = 1, std::string* data = nullptr) {
  BlockPool pool;
  const BlockRef block = pool.take();
  const sluice_event made = wrap_undecodable(*block, bytes, what, hint, unique);
  Decoding decoding;
  REQUIRE(decoding.code(EventView(made).json()) == "");
  CHECK(attributes_of(EventView(made)) == attributes_of(decoding.last()));
  CHECK(decoding.last().data() == bytes);
  if (data != nullptr) *data = std::string(EventView(made).data());
  return attributes_of(decoding.last());
}

}  // namespace

TEST_CASE("dead letter: the attributes say who gave up, why, after how many tries, and when") {
  Decoding decoding;
  REQUIRE(decoding.code(R"({"specversion":"1.0","id":"1","source":"/s","type":"t","kept":"x","data":{"n": 1.0}})") ==
          "");
  EventWriter writer;
  const sluice_event letter =
      as_dead_letter(decoding.last().raw(), facts("the far side said \"no\""), writer, decoding.block());
  nlohmann::json expected = attributes_of(decoding.last());
  expected["sluiceerrornode"] = "webhook[1]";
  expected["sluiceerrorreason"] = "the far side said \"no\"";
  expected["sluiceerrorcode"] = "503";
  expected["sluiceerrorattempts"] = "5";
  expected["sluiceerrorfirst"] = "2026-03-01T08:09:10.123Z";
  expected["sluiceerrorlast"] = "2026-03-01T08:10:11.123Z";
  CHECK(attributes_of(EventView(letter)) == expected);
  Decoding again;
  REQUIRE(again.code(EventView(letter).json()) == "");
  CHECK(attributes_of(again.last()) == expected);
  CHECK(again.last().data() == R"({"n": 1.0})");
}

TEST_CASE("dead letter: without a code there is no code attribute, and an empty reason is an empty attribute") {
  Decoding decoding;
  REQUIRE(decoding.code(R"({"specversion":"1.0","id":"1","source":"/s","type":"t"})") == "");
  EventWriter writer;
  const sluice_event letter = as_dead_letter(decoding.last().raw(), facts("", 0), writer, decoding.block());
  Decoding again;
  REQUIRE(again.code(EventView(letter).json()) == "");
  CHECK_FALSE(again.last().extension("sluiceerrorcode"));
  CHECK(again.last().extension("sluiceerrorreason") == "");
}

TEST_CASE("dead letter: a dead letter of a dead letter carries the newer facts, once") {
  Decoding decoding;
  REQUIRE(decoding.code(R"({"specversion":"1.0","id":"1","source":"/s","type":"t"})") == "");
  EventWriter writer;
  const sluice_event first = as_dead_letter(decoding.last().raw(), facts("first"), writer, decoding.block());
  const sluice_event second = as_dead_letter(first, facts("second"), writer, decoding.block());
  Decoding again;
  REQUIRE(again.code(EventView(second).json()) == "");
  CHECK(again.last().extension("sluiceerrorreason") == "second");
  CHECK(again.last().raw().extension_count == 6);
}

TEST_CASE("attribute text: what an attribute may not hold becomes a space or a replacement, the rest stays") {
  CHECK(attribute_text("plain \xC3\xA4 \xF0\x9F\x98\x80") == "plain \xC3\xA4 \xF0\x9F\x98\x80");
  CHECK(attribute_text("a\nb\tc\x7f"
                       "d") == "a b c d");
  CHECK(attribute_text(std::string_view("\0x", 2)) == " x");
  for (const char* bad : {"\xC2\x85", "\xEF\xBF\xBE", "\xEF\xB7\x90", "\xF4\x8F\xBF\xBF", "\xff", "\xC3",
                          "\xED\xA0\x80", "a\x80z", "\xC0\xAF", "\xE2\x82"}) {
    const std::string safe = attribute_text(std::string("<") + bad + ">");
    CHECK(is_attribute_text(safe));
    CHECK(safe.front() == '<');
    CHECK(safe.back() == '>');
  }
}

TEST_CASE("attribute text: it is cut at 1024 bytes, never inside a character") {
  CHECK(attribute_text(std::string(1024, 'x')).size() == 1024);
  CHECK(attribute_text(std::string(5000, 'x')).size() == 1024);
  for (const std::string character : {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
    for (std::size_t lead = 0; lead < character.size(); ++lead) {
      std::string text(lead, 'x');
      while (text.size() < 1100) text += character;
      const std::string cut = attribute_text(text);
      CHECK(cut.size() <= 1024);
      CHECK(cut.size() + character.size() > 1024);
      CHECK(is_attribute_text(cut));
      CHECK(text.rfind(cut, 0) == 0);
    }
  }
  CHECK(attribute_text(std::string(3000, '\x80')).size() <= 1024);  // nothing but continuation bytes
}

TEST_CASE("undecodable record: its bytes are the data of an event that every reader of events takes") {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  for (const std::string& bytes : {std::string("{\"id\":"), every, std::string(), std::string(70'000, '\xff')}) {
    std::string data;
    const nlohmann::json attributes = wrapped(bytes, facts("json_syntax: at byte 6"), "17:42", 1, &data);
    CHECK(attributes["type"] == kUndecodableType);
    CHECK(attributes["source"] == "/sluice/undecodable");
    CHECK(attributes["time"] == "2026-03-01T08:09:10.123Z");
    CHECK(attributes["sluiceerrorreason"] == "json_syntax: at byte 6");
    CHECK(data == bytes);
  }
}

TEST_CASE("undecodable record: its id is the same for the same place, and its own where there is none") {
  const auto id = [](std::string_view hint, std::uint64_t unique) {
    return wrapped("x", facts("r"), hint, unique)["id"];
  };
  CHECK(id("17:42", 1) == id("17:42", 2));
  CHECK(id("17:42", 1) != id("17:43", 1));
  CHECK(id("", 1) != id("", 2));
}

TEST_CASE("undecodable record: a reason that quotes its bytes does not make the wrapper undecodable as well") {
  const nlohmann::json attributes = wrapped("\xff\x01", facts("wrong_type: \"\xff\x01\xC2\x90\" is no number"));
  CHECK(is_attribute_text(attributes["sluiceerrorreason"].get<std::string>()));
}
