// Templates of rules: names, functions, escapes, cuts.
#include "catch.hh"

#include "template.hh"

#include <sluice/cpp/guard.hh>

#include <map>

using namespace alerting;

namespace {

const std::map<std::string, std::string, std::less<>> kValues{
    {"type", "extraction.failed"}, {"data.rate", "0.5714"}, {"data.name", "<a & \"b\">"},
    {"data.tricky", "{{type}}"},   {"data.none", ""},       {"time", "2026-03-01T12:05:09.5+02:00"}};

bool look(std::string_view name, std::string& out) {
  const auto found = kValues.find(name);
  if (found == kValues.end()) return false;
  out = found->second;
  return true;
}

std::string fill(const std::string& text, Escape escape = &escape_nothing) {
  const TextTemplate made(text, escape, [](std::string_view name) { return kValues.count(name) != 0; });
  CHECK(made.fill(look, 1000) == made.fill(look, 1000));  // filling in changes nothing
  return made.fill(look, 1000);
}

}  // namespace

TEST_CASE("template: names stand for the event's values", "[alerting]") {
  CHECK(fill("{{type}} at {{data.rate}}") == "extraction.failed at 0.5714");
  CHECK(fill("[{{data.none}}]") == "[]");
  CHECK(fill("{{#data.rate}}yes{{/data.rate}}{{#data.none}}no{{/data.none}}{{^data.none}}none{{/data.none}}") ==
        "yesnone");
}

TEST_CASE("template: percent, round, date and default", "[alerting]") {
  CHECK(fill("{{#percent}}{{data.rate}}{{/percent}}") == "57%");
  CHECK(fill("{{#percent}}{{data.rate}}|1{{/percent}}") == "57.1%");
  CHECK(fill("{{#round}}{{data.rate}}|2{{/round}}") == "0.57");
  CHECK(fill("{{#round}}{{type}}|2{{/round}}") == "extraction.failed");
  CHECK(fill("{{#date}}{{time}}|%H:%M{{/date}}") == "10:05");
  CHECK(fill("{{#default}}{{data.none}}|unknown{{/default}}") == "unknown");
  CHECK(fill("{{#default}}{{type}}|unknown{{/default}}") == "extraction.failed");
}

TEST_CASE("template: values are escaped for their format, the template is not", "[alerting]") {
  CHECK(fill("<b>{{data.name}}</b>", &escape_slack) == "<b>&lt;a &amp; \"b\"&gt;</b>");
  CHECK(fill("{{data.name}}", &escape_html) == "&lt;a &amp; &quot;b&quot;&gt;");
  CHECK(fill("{{{data.name}}}", &escape_html) == "<a & \"b\">");
  CHECK(fill("{{#default}}{{data.name}}|x{{/default}}", &escape_slack) == "&lt;a &amp; \"b\"&gt;");
}

TEST_CASE("template: a value that looks like a template stays text", "[alerting]") {
  CHECK(fill("{{data.tricky}} {{#default}}{{data.tricky}}|x{{/default}}") == "{{type}} {{type}}");
}

TEST_CASE("template: bad templates and names that mean nothing are refused", "[alerting]") {
  for (const char* text : {"{{type", "{{#percent}}{{data.rate}}", "{{/percent}}", "{{tpye}}", "{{#nope}}x{{/nope}}",
                           "{{^data.rate}}{{nope}}{{/data.rate}}", "{{#percent}}{{nope}}{{/percent}}", "{{> part}}"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(fill(text), sluice::BadConfig);
  }
}

TEST_CASE("template: long texts are cut between characters, with a mark", "[alerting]") {
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "ä";
  const std::string shorter = cut(umlauts, 51);
  CHECK(shorter.size() <= 51);
  CHECK(shorter.ends_with("ä… [cut]"));
  CHECK(cut("short", 50) == "short");
}
