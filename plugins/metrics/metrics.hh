// Observer `metrics`: what passed, by type; how much of it succeeded; how fast it came; and the numbers in it that the
// configuration names. Shown at /metrics (names below, each with the node's label) and in the summary at the end.
#pragma once

#include "field_reader.hh"
#include "tally.hh"

#include <sluice/cpp/plugin.hh>

#include <optional>
#include <string>
#include <vector>

namespace metrics {

class Metrics {
 public:
  Metrics(sluice::HostView host, sluice::ConfigView config);

  sluice_status process(sluice::BatchView batch, std::uint8_t* verdict, sluice_writer* out, sluice_error& error);
  std::uint32_t tick(std::uint64_t now_ns, sluice_writer* out);
  std::string summary() { return summary_text(types_, throughput_, passed_, failed_, named_); }

 private:
  struct Field {
    std::string pointer;
    std::vector<std::string> types;  // empty: all
    sluice_cell *count = nullptr, *sum = nullptr, *min = nullptr, *max = nullptr, *mean = nullptr, *last = nullptr;
  };
  [[nodiscard]] static std::vector<Field> fields_from(const sluice::ConfigView& config, std::vector<NamedField>& named);
  [[nodiscard]] TypeCount make_type(std::string_view type);
  void follow_fields(sluice::EventView event, std::uint32_t wanted);
  void show(std::uint64_t now_ns);

  sluice::HostView host_;
  const std::vector<std::string> success_types_, failure_types_;
  std::vector<NamedField> named_;
  std::vector<Field> fields_;
  FieldReader reader_;
  Types types_;
  std::vector<sluice_cell*> type_cells_;  // by type number
  Throughput throughput_;
  std::uint64_t passed_ = 0, failed_ = 0;
  sluice_cell *rate_ = nullptr, *per_second_ = nullptr;
  std::vector<std::optional<double>> values_;
};

}  // namespace metrics
