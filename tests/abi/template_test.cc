#include <sluice/cpp/template.hh>

#include <string>
#include <vector>

#include "catch.hh"
#include "plugin_rig.hh"

namespace {

const std::string kEvent =
    R"({"specversion":"1.0","id":"7","source":"/stage2","type":"nlp.done","subject":"doc-1","jobid":"j9"})";

std::string filled(const std::string& text, const std::string& event = kEvent) {
  const rig::Batch batch({event});
  std::string out = "before:";
  const bool whole = sluice::Template(text, "topic").append(sluice::EventView(*SLUICE_EVENT(&batch, 0)), out);
  return whole ? out.substr(7) : "refused, left " + out;
}

std::string refusal_of(const std::string& text) {
  try {
    sluice::Template made(text, "topic");
  } catch (const sluice::BadConfig& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("template: attributes and extensions stand where their names stand", "[abi][template]") {
  CHECK(filled("nlp-{type}") == "nlp-nlp.done");
  CHECK(filled("{source}/{subject}/{jobid}/{id}") == "/stage2/doc-1/j9/7");
  CHECK(filled("{{type}}-{type}") == "{type}-nlp.done");
  CHECK(filled("") == "");
}

TEST_CASE("template: an attribute that is not there takes its default, or the event has no place", "[abi][template]") {
  CHECK(filled("{tenant:-nobody}.{type}") == "nobody.nlp.done");
  CHECK(filled("{jobid:-nobody}") == "j9");
  CHECK(filled("a{tenant:-}b") == "ab");
  CHECK(filled("a-{tenant}") == "refused, left before:");
  const rig::Batch batch({kEvent});
  const sluice::Template made("{type}.{tenant}", "topic");
  const std::string why = made.missing(sluice::EventView(*SLUICE_EVENT(&batch, 0)));
  CHECK(why == "the event has no tenant, which topic asks for; {tenant:-DEFAULT} gives one");
}

TEST_CASE("template: a text without placeholders is fixed", "[abi][template]") {
  CHECK(sluice::Template("nlp-events").is_fixed());
  CHECK(sluice::Template("nlp-events").fixed_text() == "nlp-events");
  CHECK(sluice::Template("a{{b}}").fixed_text() == "a{b}");
  CHECK_FALSE(sluice::Template("{type}").is_fixed());
}

TEST_CASE("template: what cannot be read is refused with the key and the cure", "[abi][template]") {
  CHECK(refusal_of("a{type").find("topic: \"a{type\": a placeholder is not closed") == 0);
  CHECK(refusal_of("a}").find("written }}") != std::string::npos);
  CHECK(refusal_of("{Type}").find("{Type} is not the name of an attribute") != std::string::npos);
  CHECK(refusal_of("{}").find("not the name") != std::string::npos);
  CHECK(refusal_of("{data}").find("{data} is not an attribute") != std::string::npos);
}
