#include "courier.hh"

#include <sluice/cpp/guard.hh>
#include <sluice/cpp/health.hh>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace alerting {
namespace {

constexpr std::int64_t kLookMs = 1000;  // how soon a new silence is seen

constexpr const char* kReasons[] = {"timeout", "network", "rate_limited", "server_error", "client_error", "auth"};
constexpr const char* kCauses[] = {"duplicate", "silence", "inhibition", "resolved"};

void put_count(sluice_cell* cell, std::uint64_t count) {
  if (cell != nullptr) __atomic_store_n(&cell->count, count, __ATOMIC_RELAXED);
}

}  // namespace

std::int64_t wall_clock_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

Courier::Courier(sluice::HostView host, Settings settings, const std::string& state, Receiver receiver)
    : host_(host),
      receiver_(std::move(receiver)),
      groups_(std::move(settings)),
      journal_(state),
      silences_path_(state.empty() ? state : state + ".silences"),
      refusals_(state.empty() ? state : state + ".refused") {}

Courier::~Courier() { stop(std::chrono::milliseconds(0)); }

void Courier::start() {
  if (thread_.joinable()) return;
  try {
    journal_.open(groups_);
  } catch (const std::system_error& e) {  // a full disk passes; what is told meanwhile could not be remembered
    throw sluice::Away(std::string("the state of the alerts cannot be written: ") + e.what());
  }
  sent_cell_ = host_.cell(SLUICE_COUNTER, "alert_messages_sent_total", "Messages that the receiver took.");
  refused_cell_ = host_.cell(SLUICE_COUNTER, "alert_messages_refused_total",
                             "Messages that the receiver refused for good; they are kept beside the state.");
  for (const char* reason : kReasons) {
    failed_cells_[reason] = host_.cell(SLUICE_COUNTER, "alert_messages_failed_total",
                                       "Tries to send that failed, by reason.", {{"reason", reason}});
  }
  for (std::size_t i = 0; i < std::size(kCauses); ++i) {
    suppressed_cells_[i] =
        host_.cell(SLUICE_COUNTER, "alert_suppressed_total", "What was not told, by cause.", {{"cause", kCauses[i]}});
  }
  latency_cell_ = host_.cell(SLUICE_GAUGE, "alert_latency_seconds",
                             "Of the last message: from the first event in it to when it was taken.");
  latency_sum_cell_ = host_.cell(SLUICE_COUNTER, "alert_latency_milliseconds_total", "The same, of all messages.");
  firing_cell_ = host_.cell(SLUICE_GAUGE, "alerts_firing", "Alerts that are not resolved.");
  groups_cell_ = host_.cell(SLUICE_GAUGE, "alert_groups_open", "Groups of alerts that are kept.");
  thread_ = std::thread([this] { run(); });
}

bool Courier::keep() {
  const bool failed = !state_text_.empty();
  try {
    journal_.append(groups_.take_log(), groups_);
    if (!failed) return true;
    state_text_.clear();
    host_.log(SLUICE_LOG_INFO, "The state of the alerts is written again");
    report();
    return true;
  } catch (const std::exception& e) {
    if (failed) return false;
    state_text_ = std::string("the state of the alerts cannot be written: ") + e.what();
    host_.log(SLUICE_LOG_ERROR,
              std::string("The state of the alerts cannot be written; a kill would lose it: ") + e.what());
    report();
    return false;
  }
}

/// /health has one state for the node: what is wrong with its disk goes before what is wrong with its far side.
void Courier::report() {
  const std::string& why = state_text_.empty() ? standing_text_ : state_text_;
  sluice::report_health(host_, why.empty() ? SLUICE_OK : SLUICE_AWAY, why);
}

/// One line for each change.
void Courier::set_standing(Standing standing, const std::string& why) {
  if (standing == standing_) return;
  standing_ = standing;
  standing_text_ = why;
  if (standing == Standing::good) {
    host_.log(SLUICE_LOG_INFO, "Alerts are sent again");
  } else if (standing == Standing::again) {
    host_.log(SLUICE_LOG_WARN, "An alert could not be sent and is tried again: " + why);
  } else {
    host_.log(SLUICE_LOG_ERROR,
              "The receiver refuses the login; alerts wait until it or the secret has changed: " + why);
  }
  report();
}

void Courier::read_silences() {
  if (silences_path_.empty()) return;
  std::error_code error;
  const auto size = std::filesystem::file_size(silences_path_, error);
  const auto time = error ? std::filesystem::file_time_type{} : std::filesystem::last_write_time(silences_path_, error);
  const std::string stamp = error ? "" : std::to_string(size) + "/" + std::to_string(time.time_since_epoch().count());
  if (stamp == silences_stamp_) return;
  silences_stamp_ = stamp;
  std::ifstream in(silences_path_, std::ios::binary);
  std::size_t unreadable = 0;
  auto silences = silences_in({std::istreambuf_iterator<char>(in), {}}, unreadable);
  host_.log(SLUICE_LOG_INFO, "Silences by command: " + std::to_string(silences.size()));
  if (unreadable > 0) {
    host_.log(SLUICE_LOG_WARN, silences_path_ + ": " + std::to_string(unreadable) + " lines cannot be read");
  }
  groups_.set_silences(std::move(silences));
}

void Courier::show() {
  const Suppressed& quiet = groups_.suppressed();
  const std::uint64_t counts[] = {quiet.duplicate, quiet.silence, quiet.inhibition, quiet.unsent_resolved};
  for (std::size_t i = 0; i < std::size(counts); ++i) put_count(suppressed_cells_[i], counts[i]);
  sluice::set(firing_cell_, static_cast<double>(groups_.firing()));
  sluice::set(groups_cell_, static_cast<double>(groups_.open_groups()));
}

/// Asking again would not help, and to hold it back would hold back what comes after it. It stays visible: in the log,
/// as a figure, and whole in a file.
void Courier::give_up(const Message& message, const Answer& answer, std::int64_t now_ms) {
  sluice::add(refused_cell_);
  std::string where = refusals_.path().empty() ? "" : "; it is kept in " + refusals_.path();
  try {
    refusals_.add(now_ms, message, answer);
  } catch (const std::exception& e) {
    where = std::string("; it cannot be kept: ") + e.what();
  }
  const std::string title = message.lines.empty() ? message.rule : message.lines.front().title;
  host_.log(SLUICE_LOG_ERROR, "An alert was refused and is given up: " + answer.text + "; it said: " + title + where);
  groups_.refused(now_ms, message);
}

void Courier::judge(const Message& message, const Answer& answer, std::int64_t now_ms) {
  if (answer.result == Answer::Result::sent) {
    groups_.sent(now_ms, message, answer.reference);
    ++sent_;
    sluice::add(sent_cell_);
    const std::int64_t latency_ms = std::max<std::int64_t>(0, now_ms - message.oldest_ms);
    sluice::add(latency_sum_cell_, static_cast<std::uint64_t>(latency_ms));
    sluice::set(latency_cell_, static_cast<double>(latency_ms) / 1000);
    pause_.end();
    set_standing(Standing::good, {});
    return;
  }
  const auto cell = failed_cells_.find(answer.reason);
  if (cell != failed_cells_.end()) sluice::add(cell->second);
  if (answer.result == Answer::Result::refused) {
    give_up(message, answer, now_ms);
    set_standing(Standing::good, {});  // it answered, and the next message may be taken
    return;
  }
  const bool away = answer.result == Answer::Result::away;
  if (away) {
    pause_.begin(now_ms, receiver_.secret_print());
  } else {
    groups_.failed(now_ms, message, answer.retry_after_ms);
  }
  set_standing(away ? Standing::away : Standing::again, answer.text);
}

Answer Courier::send(const Message& message) {
  try {
    return receiver_.send(message);
  } catch (const sluice::Away& e) {  // a secret that cannot be read
    return {Answer::Result::away, "auth", e.what(), 0, {}};
  } catch (const std::exception& e) {
    return {Answer::Result::again, "client_error", e.what(), 0, {}};
  }
}

/// Not while the receiver is left alone; and what has waited for longer than max_age waits no more.
std::optional<Message> Courier::next(std::int64_t now_ms) {
  while (standing_ != Standing::good) {
    const auto late = groups_.expired(now_ms);
    if (!late) break;
    give_up(*late, {Answer::Result::refused, "expired", "max_age is over; " + standing_text_, 0, {}}, now_ms);
  }
  if (pause_.holds(now_ms, receiver_.secret_print)) return std::nullopt;
  return groups_.next(now_ms);
}

void Courier::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const std::int64_t now_ms = wall_clock_ms();
    read_silences();
    const auto message = next(now_ms);
    keep();
    show();
    if (message) {
      lock.unlock();
      const Answer answer = send(*message);
      lock.lock();
      judge(*message, answer, wall_clock_ms());
      keep();
      continue;
    }
    auto due_ms = groups_.due_ms(now_ms);
    if (due_ms) due_ms = std::max(*due_ms, pause_.until_ms());
    if (stopping_ && (!groups_.has_news() || !due_ms || now_ms >= deadline_ms_ || *due_ms > deadline_ms_)) break;
    std::int64_t wait_ms = due_ms ? std::min(kLookMs, std::max<std::int64_t>(1, *due_ms - now_ms)) : kLookMs;
    if (stopping_) wait_ms = std::min(wait_ms, std::max<std::int64_t>(1, deadline_ms_ - now_ms));
    awake_.wait_for(lock, std::chrono::milliseconds(wait_ms));
  }
  idle_ = true;
  awake_.notify_all();
}

void Courier::stop(std::chrono::milliseconds timeout) {
  if (!thread_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    // A little is left for the answer that is under way.
    deadline_ms_ = wall_clock_ms() + timeout.count() * 9 / 10;
    groups_.hurry();
    awake_.notify_all();
    if (!awake_.wait_for(lock, timeout, [this] { return idle_; })) receiver_.cancel();
  }
  thread_.join();
  if (groups_.has_news()) {
    host_.log(SLUICE_LOG_WARN, journal_.path().empty() ? "Alerts were not sent before the end"
                                                       : "Alerts were not sent before the end; they are in " +
                                                             journal_.path() + " and go with the next start");
  }
}

}  // namespace alerting
