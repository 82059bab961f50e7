// What a person reads when a run has ended.
#include "edge/summary.hh"
#include "admin_graph.hh"
#include "catch.hh"

using namespace sluice;

namespace {

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("summary: figures in all, per backend, by type and per source, then the plugins' lines", "[edge][summary]") {
  AdminGraph view;
  view.fill();
  const std::string text = summary_text(view.graph, {{"early_check", "checked 10\nrate 0.9\n"}, {"stream", ""}});
  CHECK(text.rfind("Summary: published 9, failed 2, success rate 81.82 %, average latency 12.00 ms, p99 ", 0) == 0);
  CHECK(holds(text, "\n  backend   published  failed  success  average ms  p50 ms  p95 ms  p99 ms\n"));
  CHECK(holds(text, "\n  stream            9       1  90.00 %       12.00    0.98  "));
  CHECK(holds(text, "\n  hooks[0]          5       3  62.50 %        0.00"));
  CHECK(holds(text, "\n  com.storytelling.nlp.document.processed         8         12       4\n"));
  CHECK(holds(text, "\n  http         11          9        0         2              0\n"));
  CHECK(holds(text, "\n  early_check\n    checked 10\n    rate 0.9\n"));
  CHECK_FALSE(holds(text, "\n  stream\n"));
  CHECK(holds(text, "odd \"type\""));
}

TEST_CASE("summary: one failure in a million is not a success rate of 100 %", "[edge][summary]") {
  AdminGraph view;
  view[0].settled_delivered.add(999'999);
  view[0].settled_rejected.add(1);
  CHECK(holds(summary_text(view.graph, {}), "success rate 99.99 %"));
}

TEST_CASE("summary: a run without events has no types and no division by zero", "[edge][summary]") {
  AdminGraph view;
  const std::string text = summary_text(view.graph, {});
  CHECK(text.rfind("Summary: published 0, failed 0, success rate 100.00 %, average latency 0.00 ms, p99 0.00 ms\n",
                   0) == 0);
  CHECK_FALSE(holds(text, "event type"));
  CHECK(summary_text(GraphView{}, {}).find('\n') == summary_text(GraphView{}, {}).size() - 1);
}

TEST_CASE("summary: what a plugin writes cannot play with the terminal", "[edge][summary]") {
  const std::string text = summary_text(GraphView{}, {{"node", "a\033[2Jb"}});
  CHECK(text.find('\033') == std::string::npos);
}

TEST_CASE("summary: the same figures as fields of a log line", "[edge][summary]") {
  AdminGraph view;
  view.fill();
  const auto fields = summary_fields(view.graph);
  REQUIRE(fields.size() == 5);
  CHECK(fields[0].key == "events_published");
  CHECK(fields[0].value == "9");
  CHECK(fields[0].bare);
  CHECK(fields[2].value == "0.8182");
}
