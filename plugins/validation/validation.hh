// Consumer `validation`: counts the results of each run, warns when its success rate is low, and halts it when its
// beginning fails. See README.md for what it passes, refuses and emits.
#pragma once

#include "findings.hh"
#include "run_id.hh"
#include "runs.hh"

#include <sluice/cpp/journal_file.hh>
#include <sluice/cpp/plugin.hh>

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace validation {

class Validation {
 public:
  Validation(sluice::HostView host, sluice::ConfigView config);

  void start(std::chrono::milliseconds);
  sluice_status process(sluice::BatchView batch, std::uint8_t* verdict, sluice_writer* out, sluice_error& error);
  std::uint32_t tick(std::uint64_t now_ns, sluice_writer* out);

 private:
  enum class Kind : std::uint8_t { other, start, success, failure, end };
  [[nodiscard]] Kind kind_of(std::string_view type) const;
  void judge(sluice::EventView event, std::uint32_t index, Kind kind, const IdHash& identity, std::uint8_t& verdict,
             sluice_writer* out);
  void refuse(std::uint32_t run, sluice::EventView event, std::uint32_t index, std::uint8_t& verdict);
  void emit_all(sluice::EventView cause, std::uint32_t index, sluice_writer* out);
  void tell_stalled(const Finding& finding, sluice_writer* out);
  [[nodiscard]] std::optional<std::uint64_t> total_of(sluice::EventView event);
  void emit(sluice_writer* out, sluice::EventView cause, std::uint32_t index, std::string_view type, std::string data);
  bool add(sluice_writer* out, std::uint32_t parent, std::vector<sluice_attribute> headers, std::string data);
  void halt(std::uint32_t run, const std::string& text);
  void keep_state();

  sluice::HostView host_;
  const Rules rules_;
  const std::vector<std::string> start_types_, success_types_, failure_types_, end_types_;
  const std::string unit_name_;
  const std::chrono::nanoseconds stalled_after_;  // 0: never
  const bool halts_graph_;
  Runs runs_;
  RunIdReader run_id_, total_;
  std::uint64_t now_ns_ = 0;  // of this call
  std::optional<sluice::JournalFile> journal_;
  bool state_failed_ = false;
  std::vector<Finding> findings_;
  std::optional<std::string> halt_text_;  // of this call
  std::deque<std::string> texts_;         // what this call's records point to
  std::deque<std::vector<sluice_attribute>> headers_;
};

}  // namespace validation
