#include "registry.hh"

#include "registry_paths.hh"

#include <sluice/cpp/guard.hh>

#include <algorithm>

namespace validation {
namespace {

enum Lookup : std::size_t { kFresh, kStale, kWaited, kMissing };

constexpr std::chrono::milliseconds kLookAgain{50};  // while a batch waits
constexpr std::size_t kKnownMax = 4096;

std::int64_t unix_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

Registry::Registry(sluice::HostView host, const sluice::ConfigView& config, Draft draft, bool waits)
    : host_(host),
      options_(config),
      draft_(draft),
      waits_(waits),
      http_(options_.access),
      age_(host.cell(SLUICE_GAUGE, "json_schema_registry_age_seconds", "Since the oldest schema in use was fetched.")),
      held_(host.cell(SLUICE_GAUGE, "json_schema_registry_schemas", "Schemas of the registry in the cache.")),
      cache_(options_.bounds) {
  for (const auto& [type, path] : options_.subjects) path_by_type_.emplace(type, path);
  if (!options_.cache_file.empty()) file_.emplace(options_.cache_file, options_.access.url);
  constexpr const char* kLookups[] = {"fresh", "stale", "waited", "missing"};
  for (std::size_t i = 0; i < lookups_.size(); ++i) {
    lookups_[i] =
        host.cell(SLUICE_COUNTER, "json_schema_registry_lookups_total",
                  "Schemas of the registry that events asked for, by where they were.", {{"result", kLookups[i]}});
  }
  for (std::size_t i = 0; i < fetches_.size(); ++i) {
    fetches_[i] =
        host.cell(SLUICE_COUNTER, "json_schema_registry_fetches_total", "Schemas fetched, by what came of it.",
                  {{"result", word_of(static_cast<FetchFailure>(i))}});
  }
}

Registry::~Registry() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  asked_more_.notify_all();
  http_.cancel();
  if (thread_.joinable()) thread_.join();
}

void Registry::start(std::chrono::milliseconds timeout) {
  restore();
  if (!thread_.joinable()) thread_ = std::thread(&Registry::fetch_all, this);
  std::unique_lock lock(mutex_);
  for (const auto& [type, path] : options_.subjects) ask(path);
  const auto patience = std::min({timeout / 2, options_.wait_at_most, options_.access.timeout});
  answered_.wait_for(lock, patience, [&] { return asked_.empty() && fetching_.empty(); });
}

void Registry::restore() {
  if (!file_) return;
  std::string complaint;
  const std::vector<KeptSchema> all = file_->open(complaint);
  if (!complaint.empty()) host_.log(SLUICE_LOG_WARN, complaint);
  const std::lock_guard lock(mutex_);
  for (const KeptSchema& kept : all) {
    try {
      auto made = std::make_shared<RegisteredSchema>(RegisteredSchema{name_of(kept.fetched, kept.path), kept.fetched,
                                                                      kept.fetched_unix_s,
                                                                      CompiledSchema(kept.fetched.text, draft_)});
      cache_.restore(kept.path, std::move(made), host_.now_ns());
    } catch (const BadSchema& why) {
      host_.log(SLUICE_LOG_WARN, "a schema of the cache file (" + kept.path + ") is left out: " + why.what());
    }
  }
  sluice::set(held_, static_cast<double>(cache_.schemas()));
}

void Registry::begin_batch() {
  now_ns_ = host_.now_ns();
  patience_ends_.reset();
  if (const std::uint64_t now = generation_.load(std::memory_order_acquire);
      now != seen_ || known_.size() > kKnownMax) {
    known_.clear();
    seen_ = now;
  }
}

const Known& Registry::find_id(std::uint32_t id) {
  id_path(path_, id);
  return find(path_);
}

const Known* Registry::find_dataschema(std::string_view dataschema) {
  if (!path_in_registry(path_, options_.access.url, dataschema)) return nullptr;
  return &find(path_);
}

const Known* Registry::find_subject(sluice::EventView event) {
  const auto named = path_by_type_.find(event.type());
  if (named == path_by_type_.end()) return nullptr;
  path_.assign(named->second);
  return &find(path_);
}

const Known* Registry::find_templated(sluice::EventView event) {
  if (!options_.subject) return nullptr;
  subject_.clear();
  if (!options_.subject->append(event, subject_) || subject_.empty()) return nullptr;
  subject_path(path_, subject_, "latest");
  return &find(path_);
}

const Known& Registry::find(std::string_view path) {
  const auto there = known_.find(path);
  has_waited_ = false;
  const Known& known = there != known_.end() ? there->second : look(path_);
  const bool is_fresh = known.fresh_until_ns > now_ns_;
  sluice::add(lookups_[!known.schema ? kMissing : has_waited_ ? kWaited : is_fresh ? kFresh : kStale]);
  if (!is_fresh && there != known_.end() && !there->second.is_asked) {
    there->second.is_asked = true;
    const std::lock_guard lock(mutex_);
    ask(path_);
  }
  return known;
}

/// Under the lock: from the cache, or fetched while the batch waits, as long as it may.
const Known& Registry::look(const std::string& path) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const CacheEntry* entry = cache_.find(path, now_ns_);
    const bool has_failed = entry != nullptr && !entry->schema;
    if (entry != nullptr && (!has_failed || !waits_ || !may_pass(entry->failed.failure))) {
      const bool is_old = entry->fresh_until_ns <= now_ns_;
      if (is_old) ask(path);
      return known_[path] = {entry->schema, entry->failed, entry->fresh_until_ns, is_old};
    }
    if (!has_failed || entry->fresh_until_ns <= host_.now_ns()) ask(path);
    const auto now = Clock::now();
    if (!patience_ends_) patience_ends_ = now + options_.wait_at_most;
    if (now >= *patience_ends_) {
      unknown_.failed =
          has_failed ? entry->failed : FetchError{FetchFailure::slow, "it has not answered within wait_at_most"};
      return unknown_;
    }
    has_waited_ = true;
    answered_.wait_until(lock, std::min(*patience_ends_, now + kLookAgain));
  }
}

/// Requires the lock. What does not fit into the queue is asked for again by whoever needs it.
void Registry::ask(const std::string& path) {
  if (asked_.size() >= kAskedMax || fetching_ == path ||
      std::find(asked_.begin(), asked_.end(), path) != asked_.end()) {
    return;
  }
  asked_.push_back(path);
  asked_more_.notify_one();
}

void Registry::figures() {
  std::int64_t oldest = 0;
  const std::int64_t now = unix_seconds();
  for (const auto& [path, known] : known_) {
    if (known.schema) oldest = std::max(oldest, now - known.schema->fetched_unix_s);
  }
  sluice::set(age_, static_cast<double>(oldest));
}

}  // namespace validation
