// Consumer `handover`: what of a stage's events goes on to its handler. A job is handed over once, by the event that
// completes it, and its single documents are left to that batch; with `process: false` nothing is, and everything stays
// where it came from. See README.md.
#pragma once

#include "data_text.hh"
#include "elsewhere.hh"
#include "jobs.hh"

#include <sluice/cpp/journal_file.hh>
#include <sluice/cpp/plugin.hh>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace handover {

class Handover {
 public:
  Handover(sluice::HostView host, sluice::ConfigView config);

  void start(std::chrono::milliseconds);
  sluice_status process(sluice::BatchView batch, std::uint8_t* verdict, sluice_writer* out, sluice_error& error);
  std::uint32_t tick(std::uint64_t now_ns, sluice_writer* out);
  void settled(const std::uint64_t* seq, const std::uint8_t* outcome, std::uint32_t count);

 private:
  [[nodiscard]] bool completes_a_job(std::string_view type) const;
  void judge(sluice::EventView event, std::uint8_t& verdict);
  void hand_over(sluice::EventView event, const std::string& job, std::uint8_t& verdict);
  void say(sluice::EventView event, std::string_view what, std::string_view more);
  [[nodiscard]] bool admit();
  void keep_state();
  void ask_elsewhere(std::uint64_t now_ns);
  void hear_elsewhere();
  void say_late(const std::vector<Job>& jobs);

  sluice::HostView host_;
  const bool process_, batch_;
  const std::vector<std::string> batch_types_;
  const std::string job_pointer_, batch_pointer_;
  const std::uint64_t lines_per_second_;
  Jobs jobs_;
  DataReader data_;
  std::optional<sluice::JournalFile> state_;
  bool state_failed_ = false;
  std::unordered_map<std::uint64_t, std::string> on_the_way_;  // by seq: the jobs whose batch is being delivered
  std::unordered_set<std::string> jobs_on_the_way_;
  std::uint64_t second_ = 0, lines_ = 0, unsaid_ = 0;
  std::vector<Job> doubtful_;  // late here; whether another worker had their completing event is being asked
  std::uint64_t ask_at_ns_ = 0;
  bool unanswered_ = false;               // the store was away when it was asked last
  std::unique_ptr<Elsewhere> elsewhere_;  // null: no worker shares the jobs
  sluice_cell *batches_cell_, *left_cell_, *repeated_cell_, *open_cell_;
};

}  // namespace handover
