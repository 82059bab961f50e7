// Consumer `json_schema`: compares the data of each event with its schema, and does with what does not fit as
// configured. See README.md.
#pragma once

#include "registry.hh"
#include "schema_files.hh"

#include <sluice/cpp/plugin.hh>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace validation {

class JsonSchema {
 public:
  static constexpr std::uint8_t kInvalidPort = 1;
  static constexpr std::string_view kTag = "schemaerror";  // the extension attribute of a tagged event

  JsonSchema(sluice::HostView host, sluice::ConfigView config);

  void start(std::chrono::milliseconds timeout);
  sluice_status process(sluice::BatchView batch, std::uint8_t* verdict, sluice_writer* out, sluice_error& error);
  std::uint32_t tick(std::uint64_t now_ns, sluice_writer* out);

 private:
  enum class Policy : std::uint8_t { pass, reject, drop, tag, divert, halt, wait };
  /// What an event is compared with: a schema, or why there is none.
  struct Choice {
    CompiledSchema* schema = nullptr;
    const std::string* name = nullptr;
    const FetchError* unavailable = nullptr;
    std::optional<std::string_view> payload;  // of a frame
    const char* unread = nullptr;             // how its schema is named, when that way is not read
  };
  [[nodiscard]] static Policy policy_of(std::string_view word);
  [[nodiscard]] Choice choose(sluice::EventView event);
  [[nodiscard]] static Choice chosen(const Known& known);
  [[nodiscard]] static Choice unread(const char* how);
  [[nodiscard]] std::optional<std::string> why_not(sluice::EventView event, const Choice& choice);
  void without_schema(const FetchError& error, sluice::EventView event, std::uint32_t index, std::uint8_t& verdict,
                      sluice_writer* out);
  void apply(Policy policy, sluice::EventView event, std::uint32_t index, const std::string& why, std::uint8_t& verdict,
             sluice_writer* out);
  void tag(sluice::EventView event, std::uint32_t index, const std::string& why, std::uint8_t& verdict,
           sluice_writer* out);

  sluice::HostView host_;
  SchemaFiles files_;
  DataCheck check_;
  const Policy on_invalid_, on_unknown_, on_unavailable_;
  std::unique_ptr<Registry> registry_;    // null: schemas are from files alone
  std::optional<std::string> halt_text_;  // once set, every later event is refused
  std::string tagged_;
  sluice_cell *valid_, *invalid_, *unknown_, *unavailable_;
};

}  // namespace validation
