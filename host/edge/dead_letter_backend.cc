#include "edge/dead_letter_backend.hh"

#include "core/units.hh"

#include <poll.h>

#include <algorithm>
#include <ctime>

namespace sluice {
namespace {

constexpr std::chrono::milliseconds kRefreshEvery{5'000};
constexpr std::size_t kTogetherMost = 1024;  // letters in one transaction, about

std::string_view text_of(const sluice_event& event, sluice_slice slice) { return {event.text + slice.at, slice.len}; }

}  // namespace

const char* const DeadLetterBackend::kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["path"],
  "properties": {
    "path": {
      "description": "The file, a SQLite database; it is made when it is not there, its folder is not. Several hosts on one machine may share it.",
      "type": "string",
      "minLength": 1
    },
    "max_bytes": {
      "description": "How much the events and reasons in the store may weigh. A full store is away: its letters wait in their lanes, and what feeds those waits too, until something is redriven or purged.",
      "type": "integer",
      "x-unit": "bytes",
      "minimum": 1024,
      "default": 1073741824
    },
    "max_age": {
      "description": "Letters that died longer ago are deleted, counted and logged. 0: they stay until they are redriven or purged.",
      "type": "integer",
      "x-unit": "ms",
      "minimum": 0,
      "default": 0
    }
  }
})";

DeadLetterBackend::DeadLetterBackend(HostView host, ConfigView config)
    : host_(host),
      path_(config.text("path")),
      max_bytes_(static_cast<std::uint64_t>(config.integer("max_bytes"))),
      max_age_(config.duration("max_age")),
      letters_cell_(host.cell(SLUICE_GAUGE, "dead_letters", "Dead letters in the store.")),
      bytes_cell_(host.cell(SLUICE_GAUGE, "dead_letter_bytes", "Size of the dead letters in the store.")),
      age_cell_(host.cell(SLUICE_GAUGE, "dead_letter_oldest_age_seconds",
                          "Time since the death of the oldest letter in the store; 0 when it is empty.")),
      expired_cell_(host.cell(SLUICE_COUNTER, "dead_letters_expired_total",
                              "Dead letters that were deleted because they were older than max_age.")) {}

std::int64_t DeadLetterBackend::unix_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void DeadLetterBackend::start(std::chrono::milliseconds) {
  try {
    store_.emplace(path_);
  } catch (const StoreError& error) {
    if (error.busy()) throw Away(error.what());
    throw BadConfig(std::string("dead letters cannot be stored: ") + error.what() +
                    "; dead_letters.path says where they go");
  }
  refresh();
}

sluice_status DeadLetterBackend::publish(BatchView batch, std::uint32_t& taken) {
  if (taken_.empty()) first_ticket_ = batch.ticket();
  for (const EventView event : batch) taken_.push_back(event);
  taken = batch.size();
  if (taken_.size() >= kTogetherMost) flush();
  return SLUICE_OK;
}

void DeadLetterBackend::flush() {
  if (taken_.empty()) return;
  letters_.clear();
  const BlockRef block = blocks_.take();
  for (const EventView event : taken_) {
    const sluice_event as_was = as_it_was(event.raw(), writer_, *block);
    Death death = death_of(event.raw());
    if (death.last_unix_ns == 0) death.first_unix_ns = death.last_unix_ns = unix_ns();
    letters_.push_back({text_of(as_was, as_was.json), text_of(as_was, as_was.source), text_of(as_was, as_was.id),
                        text_of(as_was, as_was.type), std::move(death), redrives_of(event.raw())});
  }
  std::size_t stored = 0;
  std::string why = path_ + " is full (max_bytes: " + size_text(max_bytes_) +
                    "): redrive or purge letters with sluice dlq, or raise dead_letters.max_bytes";
  try {
    stored = store_->add(letters_, max_bytes_);
  } catch (const StoreError& error) {
    why = error.what();  // nothing of it is in the file; it is tried again
  }
  const auto all = static_cast<std::uint32_t>(taken_.size()), done = static_cast<std::uint32_t>(stored);
  taken_.clear();
  refreshed_ns_ = 0;
  if (done > 0) host_.complete(first_ticket_, done);
  if (done < all) host_.complete(first_ticket_ + done, all - done, SLUICE_AWAY, why);
}

sluice_status DeadLetterBackend::poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t) {
  flush();
  const std::uint64_t every_ns = static_cast<std::uint64_t>(kRefreshEvery.count()) * 1'000'000;
  if (store_ && (refreshed_ns_ == 0 || host_.now_ns() >= refreshed_ns_ + every_ns)) refresh();
  pollfd wake{wake_fd, POLLIN, 0};
  (void)::poll(&wake, 1, static_cast<int>(std::min(timeout, kRefreshEvery).count()));
  return SLUICE_OK;
}

void DeadLetterBackend::refresh() {
  refreshed_ns_ = std::max<std::uint64_t>(host_.now_ns(), 1);
  try {
    const std::int64_t now = unix_ns();
    if (max_age_.count() > 0) {
      const std::uint64_t gone = store_->purge_before(now - std::int64_t{max_age_.count()} * 1'000'000);
      add(expired_cell_, gone);
      if (gone > 0) {
        host_.log(SLUICE_LOG_WARN, std::to_string(gone) + " dead letters were older than max_age and are deleted");
      }
    }
    const StoreTotals totals = store_->totals();
    set(letters_cell_, static_cast<double>(totals.letters));
    set(bytes_cell_, static_cast<double>(totals.bytes));
    const std::int64_t age_ns = totals.letters == 0 ? 0 : std::max<std::int64_t>(now - totals.oldest_unix_ns, 0);
    set(age_cell_, static_cast<double>(age_ns) / 1e9);
  } catch (const StoreError& error) {
    if (!error.busy()) host_.log(SLUICE_LOG_WARN, error.what());  // busy: the next look tells
  }
}

}  // namespace sluice
