// Arbitrary bytes as a configuration: reader, native format, events dialect, schema check and graph text. Nothing may
// crash, hang or grow; what is read without an error can be shown.
#include "core/events_dialect.hh"
#include "core/graph_text.hh"
#include "core/native_format.hh"
#include "edge/schema_check.hh"
#include "edge/yaml_reader.hh"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

class FewVariables : public sluice::Surroundings {
 public:
  std::optional<std::string> variable(const std::string& name) const override {
    return name == "A" ? std::optional<std::string>("7") : std::nullopt;
  }
  std::optional<std::string> file(const std::string&, std::string& why) const override {
    why = "no files here";
    return {};
  }
  std::string host_name() const override { return "box"; }
};

constexpr const char* kSchema = R"({"type":"object","additionalProperties":false,"properties":{
  "t":{"type":"integer","x-unit":"ms","default":"1s"},"urls":{"type":"array","x-fan-out":true,"items":{"type":"string"}},
  "m":{"type":"object","default":{},"properties":{"k":{"type":"string","pattern":"^/[a-z]*$","writeOnly":true}}},
  "n":{"anyOf":[{"type":"number"},{"type":"string"}]}}})";

void check(sluice::Config& config, sluice::Problems& problems) {
  const sluice::ClassDescription described{.name = "any", .module_path = "fuzz", .schema_json = kSchema};
  for (sluice::NodeConfig& node : config.nodes) sluice::check_node_config(node, described, problems);
  if (sluice::has_errors(problems)) return;
  const std::string all =
      sluice::graph_as_text(config) + sluice::graph_as_dot(config) + sluice::graph_as_mermaid(config);
  if (all.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  sluice::Problems problems;
  auto tree = sluice::read_yaml(text, "fuzz.yaml", problems, {.bytes = 64 * 1024, .values = 5'000});
  if (!tree && problems.empty()) std::abort();  // never refused without a word
  if (!tree || !tree->is_map()) return 0;
  const FewVariables surroundings;
  sluice::Problems native_problems = problems;
  sluice::Value native = *tree;
  sluice::interpolate(native, surroundings, "", native_problems);
  sluice::Config config = sluice::read_native(native, {size % 2 == 0}, native_problems);
  check(config, native_problems);

  sluice::Lowered lowered = sluice::lower_events(*tree, surroundings, size % 2 == 0, problems);
  config = lowered.disabled.empty() ? sluice::read_native(lowered.native, {}, problems)
                                    : sluice::read_disabled(lowered.native, problems);
  check(config, problems);
  return 0;
}
