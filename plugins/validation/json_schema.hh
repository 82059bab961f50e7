// Consumer `json_schema`: compares the data of each event with its schema, and does with what does not fit as
// configured. See README.md.
#pragma once

#include "schema_files.hh"

#include <sluice/cpp/plugin.hh>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace validation {

class JsonSchema {
 public:
  static constexpr std::uint8_t kInvalidPort = 1;
  static constexpr std::string_view kTag = "schemaerror";  // the extension attribute of a tagged event

  JsonSchema(sluice::HostView host, sluice::ConfigView config);

  sluice_status process(sluice::BatchView batch, std::uint8_t* verdict, sluice_writer* out, sluice_error& error);

 private:
  enum class Policy : std::uint8_t { pass, reject, drop, tag, divert, halt };
  [[nodiscard]] static Policy policy_of(std::string_view word);
  [[nodiscard]] std::optional<std::string> why_not(sluice::EventView event, NamedSchema& schema);
  void apply(Policy policy, sluice::EventView event, std::uint32_t index, const std::string& why, std::uint8_t& verdict,
             sluice_writer* out);
  void tag(sluice::EventView event, std::uint32_t index, const std::string& why, std::uint8_t& verdict,
           sluice_writer* out);

  sluice::HostView host_;
  SchemaFiles files_;
  DataCheck check_;
  const Policy on_invalid_, on_unknown_;
  std::optional<std::string> halt_text_;  // once set, every later event is refused
  std::string tagged_;
  sluice_cell *valid_, *invalid_, *unknown_;
};

}  // namespace validation
