// What counts as one record on standard input.
#include "framer.hh"

#include "catch.hh"

#include <string>
#include <vector>

namespace {

using stdio_plugin::Framer;

/// Feeds the text in pieces of `step` bytes, as reads would bring it.
std::vector<std::string> framed(const std::string& text, std::size_t step, bool arrays = true, std::size_t max = 1000) {
  Framer framer(arrays, max);
  std::vector<std::string> all;
  std::string held;
  for (std::size_t from = 0; from <= text.size(); from += step) {
    const bool last = from + step > text.size();
    held += text.substr(from, step);
    const char* at = held.data();
    std::string_view record;
    while (framer.next(at, held.data() + held.size(), last, record) == Framer::Step::record) all.emplace_back(record);
    held.erase(0, static_cast<std::size_t>(at - held.data()));
  }
  CHECK(held.empty());
  return all;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("framer: records are the same however the reads fall", "[stdio]") {
  const std::size_t step = GENERATE(1u, 2u, 3u, 7u, 1000u);
  CHECK(framed("{\"a\":1}\n{\"b\":2}\n", step) == Texts{"{\"a\":1}", "{\"b\":2}"});
  CHECK(framed("{\"a\":1}\r\n\n   \n{\"b\":2}", step) == Texts{"{\"a\":1}", "{\"b\":2}"});
  CHECK(framed("[{\"a\":1},{\"b\":\"]}\\\"\"}]\n{\"c\":3}\n", step) ==
        Texts{"{\"a\":1}", "{\"b\":\"]}\\\"\"}", "{\"c\":3}"});
  CHECK(framed("[\n  {\n    \"a\": [1, 2]\n  },\n  {\"b\":2}\n]\n", step) ==
        Texts{"{\n    \"a\": [1, 2]\n  }", "{\"b\":2}"});
  CHECK(framed("[]\n[ ]\n{}\n", step) == Texts{"{}"});
  CHECK(framed("", step).empty());
  CHECK(framed("\n \n", step).empty());
}

TEST_CASE("framer: a line that only starts like an array stays one record", "[stdio]") {
  const std::size_t step = GENERATE(1u, 5u, 1000u);
  CHECK(framed("[INFO] up\n{\"a\":1}\n", step) == Texts{"[INFO] up", "{\"a\":1}"});
}

TEST_CASE("framer: what breaks an array is a record of its own and lines count again behind it", "[stdio]") {
  const std::size_t step = GENERATE(1u, 5u, 1000u);
  CHECK(framed("[{\"a\":1} x\n{\"b\":2}\n", step) == Texts{"{\"a\":1}", "x", "{\"b\":2}"});
  CHECK(framed("[{\"a\":1},]\n{\"b\":2}\n", step) == Texts{"{\"a\":1}", "]", "{\"b\":2}"});
  CHECK(framed("[{\"a\":1}] junk\n{\"b\":2}\n", step) == Texts{"{\"a\":1}", " junk", "{\"b\":2}"});
  CHECK(framed("[{\"a\":1},\n{\"b\"", step) == Texts{"{\"a\":1}", "{\"b\""});
  CHECK(framed("[\n1, \"x\", null]\n", step) == Texts{"1", "\"x\"", "null"});
}

TEST_CASE("framer: with arrays off every line is a record", "[stdio]") {
  CHECK(framed("[{\"a\":1},\n{\"b\":2}]\n", 1000, false) == Texts{"[{\"a\":1},", "{\"b\":2}]"});
}

TEST_CASE("framer: a record over the bound is handed on cut, and only that one", "[stdio]") {
  const std::size_t step = GENERATE(1u, 4u, 1000u);
  const std::string longer(15, 'x');
  CHECK(framed(longer + "\nab\n", step, true, 10) == Texts{std::string(10, 'x'), "ab"});
  CHECK(framed("[{\"a\":\"" + longer + "\"}\n]\nab\n", step, true, 10) == Texts{"{\"a\":\"xxxx", "]", "ab"});
  CHECK(framed(std::string(10, 'y') + "\nab\n", step, true, 10) == Texts{std::string(10, 'y'), "ab"});
}
