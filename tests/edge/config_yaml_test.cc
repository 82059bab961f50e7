// The YAML reader: places, types, and everything that is no configuration.
#include "catch.hh"
#include "edge/yaml_reader.hh"

#include <cstdlib>
#include <fstream>
#include <string>

using namespace sluice;

namespace {

/// The one line that reading this text says.
std::string refusal(std::string_view text, YamlBounds bounds = {}) {
  Problems problems;
  const auto tree = read_yaml(text, "f.yaml", problems, bounds);
  CHECK((!tree || !problems.empty()));
  return problems.size() == 1 ? to_line(problems[0]) : std::to_string(problems.size()) + " problems";
}

Value tree_of(std::string_view text) {
  Problems problems;
  auto tree = read_yaml(text, "f.yaml", problems);
  for (const Problem& problem : problems) FAIL(to_line(problem));
  REQUIRE(tree);
  return *tree;
}

}  // namespace

TEST_CASE("yaml: scalars take the types of the core schema, quoted ones stay text") {
  const Value tree = tree_of(
      "{a: 12, b: '12', c: true, d: 1.5e3, e: ~, f: yes, g: 0x1f, h: -7, i: 1_000, j: .inf, "
      "k: 99999999999999999999, l: \"true\", m: 007}");
  CHECK(tree.find("a")->kind == Value::Kind::integer);
  CHECK(tree.find("a")->integer == 12);
  CHECK(tree.find("b")->kind == Value::Kind::string);
  CHECK(tree.find("c")->boolean);
  CHECK(tree.find("d")->number == 1500);
  CHECK(tree.find("e")->kind == Value::Kind::null);
  CHECK(tree.find("f")->kind == Value::Kind::string);
  CHECK(tree.find("g")->integer == 31);
  CHECK(tree.find("h")->integer == -7);
  for (const char* text : {"i", "j", "k", "l"}) CHECK(tree.find(text)->kind == Value::Kind::string);
  CHECK(tree.find("m")->integer == 7);
}

TEST_CASE("yaml: values and keys know their lines and columns, counted from 1") {
  const Value tree = tree_of("a:\n  - x\n  - bb: y\n");
  const Value& list = *tree.find("a");
  CHECK(list.key_mark.line == 1);
  CHECK(list.list[0].mark.line == 2);
  CHECK(list.list[0].mark.column == 5);
  CHECK(list.list[1].find("bb")->mark.line == 3);
  CHECK(list.list[1].find("bb")->mark.column == 9);
  CHECK(list.list[1].find("bb")->key_mark.column == 5);
}

TEST_CASE("yaml: an alias stands where it is written, not where its anchor is") {
  const Value tree = tree_of("a: &x {k: 1}\nb: *x\n");
  CHECK(tree.find("b")->mark.line == 2);
  CHECK(tree.find("b")->find("k")->integer == 1);
}

TEST_CASE("yaml: << brings in what a map does not say itself") {
  const Value tree = tree_of("base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\ntwo: {<<: [*b], z: 4}\n");
  CHECK(tree.at("one.x")->integer == 1);
  CHECK(tree.at("one.y")->integer == 3);
  CHECK(tree.at("two.y")->integer == 2);
}

TEST_CASE("yaml: what is no text is refused with the byte that shows it") {
  CHECK(refusal("") == "f.yaml: is empty");
  CHECK(refusal("# only a comment\n") == "f.yaml: is empty");
  CHECK(refusal("~\n") == "f.yaml: is empty");
  CHECK(refusal("a: \xff") == "f.yaml: is not UTF-8: byte 3 begins no character");
  CHECK(refusal("a: \xc0\xaf") == "f.yaml: is not UTF-8: byte 3 begins no character");
  CHECK(refusal("a: \xed\xa0\x80") == "f.yaml: is not UTF-8: byte 3 begins no character");
  CHECK(refusal(std::string_view("a: b\0c", 6)) == "f.yaml: is not text: byte 4 is a control character (0)");
  CHECK(refusal("\x7f"
                "ELF") == "f.yaml: is not text: byte 0 is a control character (127)");
  CHECK(refusal(std::string(2000, 'a'), {.bytes = 1000}) ==
        "f.yaml: is larger than 1000B: too large for a configuration");
}

TEST_CASE("yaml: a file that cannot be read is refused with the reason") {
  Problems problems;
  CHECK_FALSE(read_yaml_file("/nonexistent/x.yaml", problems));
  CHECK_FALSE(read_yaml_file("/tmp", problems));
  REQUIRE(problems.size() == 2);
  CHECK(to_line(problems[0]) == "/nonexistent/x.yaml: cannot be read: No such file or directory");
  CHECK(to_line(problems[1]) == "/tmp: is a folder; name a file");
}

TEST_CASE("yaml: structure that a configuration does not have is refused with its place") {
  CHECK(refusal("a: 1\nb: 2\na: 3\n") == "f.yaml:3:1: a: this key is already in line 1; keep one of the two");
  CHECK(refusal("a: {x: 1, x: 2}\n") == "f.yaml:1:11: a.x: this key is already in line 1; keep one of the two");
  CHECK(refusal("a: 1\n---\nb: 2\n") == "f.yaml:3:1: holds several documents (\"---\"); a configuration is one");
  CHECK(refusal("a:\n  1: x\n") == "f.yaml:2:3: a.1: a key must be text, but is a whole number: 1 (put it in quotes)");
  CHECK(refusal("? [a, b]\n: x\n") == "f.yaml:1:3: a key must be text, but is a list");
  CHECK(refusal("a: !!str 5\n").starts_with("f.yaml:1:4: a: has a tag"));
  CHECK(refusal("a: !env X\n").starts_with("f.yaml:1:4: a: has a tag (!env)"));
  CHECK(refusal("a: [1, 2\nb: 3").starts_with("f.yaml:2:"));
  CHECK(refusal("a: *nobody\n").starts_with("f.yaml:1:4: is no YAML: "));
  CHECK(refusal("a: &x [*x]\n").find("never end") != std::string::npos);
}

TEST_CASE("yaml: bombs are refused before they grow") {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char name = 'b'; name < 'j'; ++name) {
    const std::string before(1, static_cast<char>(name - 1));
    bomb += std::string(1, name) + ": &" + name + " [";
    for (int i = 0; i < 10; ++i) bomb += (i > 0 ? ",*" : "*") + before;
    bomb += "]\n";
  }
  CHECK(refusal(bomb).find("more than 50000 values") != std::string::npos);
  CHECK(refusal(std::string(200, '[') + std::string(200, ']')).find("nested deeper than 64") != std::string::npos);
  CHECK(refusal(std::string(100'000, '[')).find("nested deeper than 64") != std::string::npos);

  // Nested anchors: each keeps a copy of all that is below it.
  std::string nested;
  for (int i = 0; i < 40; ++i) nested += "&n" + std::to_string(i) + " [";
  for (int i = 0; i < 3000; ++i) nested += "x,";
  nested += std::string(40, ']');
  CHECK(refusal(nested).find("anchors hold more than") != std::string::npos);
}

TEST_CASE("yaml: several problems of one file are all noted") {
  Problems problems;
  CHECK(read_yaml("a: 1\na: 2\nb: !t x\n7: y\n", "f.yaml", problems));
  CHECK(problems.size() == 3);
}
