#include "handover.hh"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <system_error>
#include <utility>

namespace handover {
namespace {

constexpr std::uint32_t kTickMs = 1000;
constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
constexpr std::uint64_t kAskEveryNs = 10 * kNsPerSecond;  // the store that workers share, about the jobs open here
constexpr std::size_t kLateLines = 20;                    // jobs named in one round of warnings
constexpr sluice::JournalFormat kState{.header = "sluice handover state 1\n", .cure = "to forget the jobs"};

std::int64_t unix_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

Handover::Handover(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      process_(config.boolean("process")),
      batch_(config.boolean("batch")),
      batch_types_(config.texts("batch_types")),
      job_pointer_(config.text("job")),
      batch_pointer_(config.text("batch_id")),
      lines_per_second_(static_cast<std::uint64_t>(config.integer("log_per_second"))),
      jobs_(static_cast<std::size_t>(config.integer("max_jobs")), config.integer("job_ttl")),
      batches_cell_(host.cell(SLUICE_COUNTER, "handed_over_jobs_total", "Jobs whose batch was delivered.")),
      left_cell_(host.cell(SLUICE_COUNTER, "left_to_batch_total", "Documents that were left to their job's batch.")),
      repeated_cell_(
          host.cell(SLUICE_COUNTER, "repeated_batches_total", "Completing events of a job that was handed over.")),
      open_cell_(host.cell(SLUICE_GAUGE, "open_jobs", "Jobs with documents that wait for their completing event.")) {
  if (config.has("state")) state_.emplace(config.text("state"), kState);
  const sluice_host& raw = host.raw();
  const auto* keys = static_cast<const sluice_once_keys*>(raw.service(&raw, SLUICE_ONCE_KEYS));
  if (batch_ && keys != nullptr) elsewhere_ = std::make_unique<Elsewhere>(raw, *keys);
}

void Handover::start(std::chrono::milliseconds) {
  if (state_) state_->open(jobs_);
  sluice::set(open_cell_, static_cast<double>(jobs_.open()));
}

bool Handover::completes_a_job(std::string_view type) const {
  return std::any_of(batch_types_.begin(), batch_types_.end(), [&](std::string_view one) {
    return one.starts_with('*') ? type.ends_with(one.substr(1)) : type == one;
  });
}

sluice_status Handover::process(sluice::BatchView batch, std::uint8_t* verdict, sluice_writer*, sluice_error&) {
  for (std::uint32_t i = 0; i < batch.size(); ++i) {
    const sluice::EventView event = batch[i];
    if (!process_) {
      say(event, "event_consumed_not_processed", " (auto_process=false)");
      verdict[i] = SLUICE_TO_REFUSE;
      host_.explain(i, "not processed: auto_process is false, or there is no handler");
      continue;
    }
    say(event, "event_consumed", "");
    if (batch_) judge(event, verdict[i]);
  }
  if (batch_) keep_state();
  return SLUICE_OK;
}

void Handover::judge(sluice::EventView event, std::uint8_t& verdict) {
  const auto named = data_.read(event, job_pointer_);
  if (!named || named->empty()) return;  // of no job: by itself
  const std::string job(*named);
  if (completes_a_job(event.type())) return hand_over(event, job, verdict);
  jobs_.leave(job, unix_ms());
  sluice::add(left_cell_);
  verdict = SLUICE_TO_DROP;
}

void Handover::hand_over(sluice::EventView event, const std::string& job, std::uint8_t& verdict) {
  if (jobs_.handed_over(job) || jobs_on_the_way_.contains(job)) {
    sluice::add(repeated_cell_);
    verdict = SLUICE_TO_DROP;
    return;
  }
  on_the_way_.emplace(event.seq(), job);
  jobs_on_the_way_.insert(job);
  if (!host_.logs(SLUICE_LOG_INFO) || !admit()) return;
  std::string line = "nlp_batch_processing_triggered: job_id=" + job;
  if (const auto batch = data_.read(event, batch_pointer_)) line += ", batch_id=" + std::string(*batch);
  host_.log(SLUICE_LOG_INFO, line);
}

void Handover::settled(const std::uint64_t* seq, const std::uint8_t* outcome, std::uint32_t count) {
  if (on_the_way_.empty()) return;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto found = on_the_way_.find(seq[i]);
    if (found == on_the_way_.end()) continue;
    // What failed may come again, from the group or from the dead letters: then it is a hand-over, not a copy.
    if (outcome[i] == SLUICE_WAS_DELIVERED) {
      jobs_.hand_over(found->second, unix_ms());
      sluice::add(batches_cell_);
    }
    jobs_on_the_way_.erase(found->second);
    on_the_way_.erase(found);
  }
  keep_state();
}

std::uint32_t Handover::tick(std::uint64_t now_ns, sluice_writer*) {
  const std::vector<Job> late = jobs_.expire(unix_ms());
  if (elsewhere_ == nullptr) {
    say_late(late);
  } else {
    doubtful_.insert(doubtful_.end(), late.begin(), late.end());
    hear_elsewhere();
    ask_elsewhere(now_ns);
  }
  if (batch_) sluice::set(open_cell_, static_cast<double>(jobs_.open()));
  return kTickMs;
}

void Handover::ask_elsewhere(std::uint64_t now_ns) {
  if (doubtful_.empty() && now_ns < ask_at_ns_) return;
  if (unanswered_ && now_ns < ask_at_ns_) return;
  std::vector<std::string> jobs = jobs_.open_ids();
  for (const Job& job : doubtful_) jobs.push_back(job.id);
  if (!jobs.empty() && elsewhere_->ask(jobs)) ask_at_ns_ = now_ns + kAskEveryNs;
}

/// What another worker handed over is handed over; only what nobody did is late.
void Handover::hear_elsewhere() {
  const auto answer = elsewhere_->take();
  if (!answer) return;
  if (!answer->known()) {
    if (!std::exchange(unanswered_, true)) {
      host_.log(SLUICE_LOG_WARN, "the store that workers share cannot be asked which jobs were handed over: " +
                                     answer->why + "; late jobs are named when it answers");
    }
    return;
  }
  unanswered_ = false;
  std::unordered_set<std::string_view> asked, done;
  for (std::size_t i = 0; i < answer->jobs.size(); ++i) {
    asked.insert(answer->jobs[i]);
    if (answer->handed_over[i] == 0) continue;
    done.insert(answer->jobs[i]);
    jobs_.hand_over(answer->jobs[i], unix_ms());
  }
  std::vector<Job> late;
  const auto settled = std::stable_partition(doubtful_.begin(), doubtful_.end(),
                                             [&](const Job& job) { return !asked.contains(job.id); });
  std::copy_if(settled, doubtful_.end(), std::back_inserter(late),
               [&](const Job& job) { return !done.contains(job.id); });
  doubtful_.erase(settled, doubtful_.end());
  say_late(late);
  keep_state();
}

void Handover::say_late(const std::vector<Job>& late) {
  for (std::size_t i = 0; i < std::min(late.size(), kLateLines); ++i) {
    host_.log(SLUICE_LOG_WARN, "job_not_completed: job_id=" + late[i].id +
                                   ", documents=" + std::to_string(late[i].documents) +
                                   ": no completing event came in time; its documents were not handed over");
  }
  if (late.size() > kLateLines) {
    host_.log(SLUICE_LOG_WARN, "job_not_completed: " + std::to_string(late.size() - kLateLines) + " more jobs");
  }
}

/// The document's lines, bounded per second; what is left out is counted.
void Handover::say(sluice::EventView event, std::string_view what, std::string_view more) {
  if (!host_.logs(SLUICE_LOG_INFO) || !admit()) return;
  std::string line(what);
  line.append(": type=").append(event.type()).append(", id=").append(event.id()).append(more);
  host_.log(SLUICE_LOG_INFO, line);
}

bool Handover::admit() {
  const std::uint64_t second = host_.now_ns() / kNsPerSecond;
  if (second != second_) {
    if (unsaid_ > 0)
      host_.log(SLUICE_LOG_INFO, std::to_string(unsaid_) + " more events in the same second, not listed");
    second_ = second;
    lines_ = unsaid_ = 0;
  }
  if (lines_ < lines_per_second_) return ++lines_, true;
  return ++unsaid_, false;
}

void Handover::keep_state() {
  const std::string lines = jobs_.take_changes();
  if (!state_) return;
  try {
    state_->append(lines, jobs_);
    if (state_failed_) host_.log(SLUICE_LOG_INFO, "the state is written again");
    state_failed_ = false;
  } catch (const std::system_error& e) {
    if (!state_failed_) {
      host_.log(SLUICE_LOG_ERROR, "the state cannot be written: " + std::string(e.what()) +
                                      "; after a restart now a job that comes again is handed over again");
    }
    state_failed_ = true;
  }
}

}  // namespace handover
