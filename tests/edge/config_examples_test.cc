// What is shipped under config/ works, and the editors' schema agrees with the host about it.
#include "catch.hh"
#include "core/graph_text.hh"
#include "edge/config_support.hh"
#include "edge/schema_check.hh"
#include "edge/yaml_reader.hh"

using namespace sluice;
using namespace sluice_tests;

namespace {

std::string shipped(const std::string& name) { return std::string(SLUICE_SOURCE_DIR) + "/config/" + name; }

std::vector<std::string> shipped_files() {
  std::vector<std::string> files{shipped("sluice.yaml")};
  for (const auto& entry : std::filesystem::directory_iterator(shipped("examples"))) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  return files;
}

/// What the editors' schema says about a file.
std::string editor_says(const std::string& path) {
  std::ifstream stream(shipped("sluice.schema.json"));
  const std::string schema{std::istreambuf_iterator<char>(stream), {}};
  Problems problems;
  auto tree = read_yaml_file(path, problems);
  REQUIRE(tree);
  NodeConfig node;
  node.config = std::move(*tree);
  node.path = "file";
  check_node_config(node, {.name = "editor", .schema_json = schema}, problems);
  std::string lines;
  for (const Problem& problem : problems) lines += to_line(problem) + "\n";
  return lines;
}

}  // namespace

TEST_CASE("examples: every shipped configuration is valid") {
  const auto files = shipped_files();
  CHECK(files.size() >= 8);
  for (const std::string& file : files) {
    const Loaded loaded = load_file(file);
    INFO(file << "\n" << loaded.lines);
    CHECK(loaded.ok());
    CHECK(loaded.config.disabled.empty());
  }
}

TEST_CASE("examples: the editors' schema accepts what the host accepts") {
  for (const std::string& file : shipped_files()) CHECK(editor_says(file) == "");
  for (const auto& entry : std::filesystem::directory_iterator(scenario(""))) CHECK(editor_says(entry.path()) == "");
  const TextFile whole(graph_as_text(load_file(shipped("examples/multi_backend.yaml")).config));
  CHECK(editor_says(whole.path) == "");
}

TEST_CASE("examples: the editors' schema refuses what the host refuses") {
  for (const char* text :
       {"sluice: 1\nsource: {}\n", "sluice: 1\nbackends: {a: {class: x, delivery: {retry: {delay: 5}}}}\n",
        "sluice: 1\nlimits: {event_bytes: 5}\n", "sluice: 1\nsources: {a: {clas: x}}\n", "events: {enabled: yes}\n",
        "events: {enabled: true, backends: [{typ: x}]}\n", "sluice: {admn: {}}\n"}) {
    const TextFile file(text);
    INFO(text);
    CHECK_FALSE(load_file(file.path).ok());
    CHECK(editor_says(file.path) != "");
  }
}
