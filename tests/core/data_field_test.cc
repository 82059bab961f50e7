// One member of an event's data as text.
#include "core/data_field.hh"

#include "catch.hh"
#include "decoding.hh"

using namespace sluice;

namespace {

std::string field(const std::string& data, std::string_view name, const std::string& key = "data") {
  Decoding decoding;
  REQUIRE(decoding.code(R"({"specversion":"1.0","id":"1","source":"/s","type":"t",")" + key + "\":" + data + "}") ==
          "");
  return data_field(decoding.last().raw(), name);
}

}  // namespace

TEST_CASE("data field: a string is its text, unescaped; a scalar is as written") {
  CHECK(field(R"({"document_id":"a\"b\u00e4"})", "document_id") == "a\"b\xC3\xA4");
  CHECK(field(R"({"x":1,"n":42})", "n") == "42");
  CHECK(field(R"({"n":-1.5})", "n") == "-1.5");
  CHECK(field(R"({"ok":true})", "ok") == "true");
  CHECK(field(R"({"document\u005fid":"x"})", "document_id") == "x");
}

TEST_CASE("data field: there is nothing, when the member is missing or is no scalar") {
  CHECK(field(R"({"a":{"document_id":"inner"}})", "document_id").empty());
  CHECK(field(R"({"n":{"a":1}})", "n").empty());
  CHECK(field(R"({"n":[1]})", "n").empty());
  CHECK(field(R"({"n":null})", "n").empty());
  CHECK(field("[1,2]", "n").empty());
  CHECK(field("\"text\"", "n").empty());
  CHECK(field("7", "n").empty());
}

TEST_CASE("data field: there is nothing in bytes, and nothing without data") {
  CHECK(field("\"eyJuIjoxfQ==\"", "n", "data_base64").empty());
  Decoding decoding;
  REQUIRE(decoding.code(R"({"specversion":"1.0","id":"1","source":"/s","type":"t"})") == "");
  CHECK(data_field(decoding.last().raw(), "n").empty());
}
