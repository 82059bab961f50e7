#include "event_log.hh"

#include <poll.h>

#include <algorithm>

namespace file_plugin {
namespace {

constexpr std::size_t kBlockBytes = 1024 * 1024;

LogFileOptions options_from(const sluice::ConfigView& config) {
  return {config.text("path"), static_cast<std::uint64_t>(config.integer("rotate_bytes")),
          config.duration("rotate_every"), static_cast<std::uint32_t>(config.integer("keep"))};
}

}  // namespace

EventLog::Sync EventLog::sync_named(std::string_view name) {
  if (name == "interval") return Sync::interval;
  return name == "every_batch" ? Sync::every_batch : Sync::never;
}

EventLog::EventLog(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      format_(sluice::envelope_named(config.text("format")).value_or(sluice::Envelope::cloudevents)),
      sync_(sync_named(config.text("fsync"))),
      sync_every_ns_(static_cast<std::uint64_t>(config.integer("fsync_interval")) * 1'000'000),
      file_(options_from(config), [this](std::int32_t level, const std::string& text) { host_.log(level, text); }) {
  if (!config.boolean("holds_dead_letters")) return;
  letters_.emplace(config.text("path"));
  letter_watch_.emplace(
      host, [this](std::chrono::milliseconds timeout) { return letters_->ask(timeout); },
      "Time since the death of the oldest letter in the log; 0 when it is empty.");
}

EventLog::~EventLog() { sync_now(); }

sluice_status EventLog::publish(sluice::BatchView batch, std::uint32_t& taken) {
  if (!file_.is_open()) file_.open();
  if (lines_.empty()) file_.refresh();
  if (count_ == 0) first_ticket_ = batch.ticket();
  for (const sluice::EventView event : batch) {
    const std::size_t bytes = lines_.prepare(event, format_);
    if (lines_.bytes() + bytes > file_.room() && !(file_.empty() && lines_.empty())) {
      // The file would grow past rotate_bytes: what was gathered goes into it, this line into the next one.
      if (!write_gathered()) return SLUICE_OK;
      file_.rotate();
      first_ticket_ = batch.ticket() + taken;
    }
    lines_.add();
    ++taken;
    ++count_;
    if (lines_.bytes() >= kBlockBytes && !write_gathered()) return SLUICE_OK;
    if (count_ == 0) first_ticket_ = batch.ticket() + taken;
  }
  return SLUICE_OK;
}

/// Completes everything gathered: delivered, or away. False in that case.
bool EventLog::write_gathered() {
  if (count_ == 0) return true;
  const std::uint32_t count = std::exchange(count_, 0);
  try {
    file_.append(lines_.pieces(), lines_.bytes());
    lines_.clear();
    if (sync_ == Sync::every_batch) file_.sync(LogFile::OnFailure::take_back);
    if (sync_ == Sync::interval && !unsynced_) sync_at_ns_ = host_.now_ns() + sync_every_ns_;
    unsynced_ = sync_ == Sync::interval;
  } catch (const sluice::Away& e) {
    lines_.clear();
    host_.complete(first_ticket_, count, SLUICE_AWAY, e.what());
    return false;
  }
  host_.complete(first_ticket_, count);
  return true;
}

void EventLog::sync_where_due() {
  if (unsynced_ && host_.now_ns() >= sync_at_ns_) sync_now();
}

/// fsync: interval. The events are delivered already, so a failure can only be told to people.
void EventLog::sync_now() {
  if (!std::exchange(unsynced_, false)) return;
  try {
    file_.sync(LogFile::OnFailure::keep);
  } catch (const sluice::Away& e) {
    host_.log(SLUICE_LOG_ERROR, std::string(e.what()) + "; a power cut may lose the newest lines");
  }
}

sluice_status EventLog::poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t) {
  int wait_ms = static_cast<int>(timeout.count());
  sync_where_due();
  if (wait_ms == 0) return SLUICE_OK;  // a busy lane: more may come for the same block, and flush() ends the wait
  if (count_ > 0) return write_gathered(), SLUICE_OK;
  if (unsynced_) {
    const std::uint64_t now = host_.now_ns();
    const int until_due = sync_at_ns_ <= now ? 0 : static_cast<int>((sync_at_ns_ - now + 999'999) / 1'000'000);
    wait_ms = wait_ms < 0 ? until_due : std::min(wait_ms, until_due);
  }
  pollfd one{wake_fd, POLLIN, 0};
  (void)::poll(&one, 1, wait_ms);
  return SLUICE_OK;
}

void EventLog::stop(std::chrono::milliseconds) {
  if (letter_watch_) letter_watch_->stop();
  write_gathered();
  sync_now();
}

}  // namespace file_plugin
