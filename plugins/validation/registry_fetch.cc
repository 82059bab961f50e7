// The fetching thread of a Registry.
#include "registry.hh"
#include "registry_paths.hh"

#include <algorithm>
#include <system_error>

namespace validation {
namespace {

std::int64_t unix_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

void Registry::fetch_all() {
  std::unique_lock lock(mutex_);
  while (!ends_) {
    if (asked_.empty()) {
      answered_.notify_all();
      if (is_file_old_) {
        lock.unlock();
        write_file();
        lock.lock();
        continue;
      }
      asked_more_.wait(lock);
      continue;
    }
    fetching_ = std::move(asked_.front());
    asked_.pop_front();
    const std::string path = fetching_;
    lock.unlock();
    fetch(path);
    lock.lock();
    fetching_.clear();
    answered_.notify_all();
  }
  if (!is_file_old_) return;
  lock.unlock();
  write_file();
}

void Registry::fetch(const std::string& path) {
  const auto ends = Clock::now() + options_.access.timeout;
  try {
    FetchedSchema fetched = fetch_schema(path, [&](const std::string& at) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(ends - Clock::now());
      return http_.get(at, std::max(left, std::chrono::milliseconds(1)));
    });
    try {
      CompiledSchema compiled(fetched.text, draft_);
      auto made = std::make_shared<RegisteredSchema>(
          RegisteredSchema{name_of(fetched, path), std::move(fetched), unix_seconds(), std::move(compiled)});
      take(path, made);
      if (!options_.compatibility.empty() && !made->fetched.subject.empty()) check_compatibility(made->fetched);
    } catch (const BadSchema& why) {
      throw FetchError{FetchFailure::bad_schema, why.what()};
    }
  } catch (const FetchError& error) {
    refuse(path, error);
  } catch (const std::exception& error) {
    refuse(path, {FetchFailure::bad_answer, error.what()});
  }
}

void Registry::take(const std::string& path, std::shared_ptr<RegisteredSchema> schema) {
  sluice::add(fetches_[0]);
  if (is_away_) host_.log(SLUICE_LOG_INFO, "the schema registry " + options_.access.url + " answers again");
  is_away_ = false;
  const std::lock_guard lock(mutex_);
  cache_.store(path, std::move(schema), host_.now_ns());
  sluice::set(held_, static_cast<double>(cache_.schemas()));
  is_file_old_ = file_.has_value();
  generation_.fetch_add(1, std::memory_order_release);
}

void Registry::refuse(const std::string& path, const FetchError& error) {
  sluice::add(fetches_[static_cast<std::size_t>(error.failure)]);
  const bool is_away = may_pass(error.failure);
  if (is_away) {
    tell_away(error);
  } else {
    is_away_ = false;
  }
  const std::lock_guard lock(mutex_);
  if (ends_) return;
  const CacheEntry* before = cache_.find(path, host_.now_ns());
  const bool is_news = before == nullptr || before->failed.failure != error.failure;
  if (!is_away && is_news) {
    host_.log(SLUICE_LOG_ERROR,
              options_.access.url + path + ": " + error.why +
                  (before != nullptr && before->schema ? "; the schema fetched before stays in use" : ""));
  }
  cache_.fail(path, error, host_.now_ns());
  // Nobody waits for the same silence once for each schema.
  if (error.failure == FetchFailure::away || error.failure == FetchFailure::slow) {
    for (const std::string& other : asked_) cache_.fail(other, error, host_.now_ns());
    asked_.clear();
  }
  generation_.fetch_add(1, std::memory_order_release);
}

void Registry::tell_away(const FetchError& error) {
  if (is_away_) return;
  is_away_ = true;
  host_.log(SLUICE_LOG_WARN, "the schema registry " + options_.access.url + " cannot be used: " + error.why +
                                 "; what was fetched before stays in use");
}

/// The level is the registry's to keep: another one than expected is said once.
void Registry::check_compatibility(const FetchedSchema& fetched) {
  std::string path = "/config/";
  append_path_step(path, fetched.subject);
  HttpReply reply = http_.get(path + "?defaultToGlobal=true", options_.access.timeout);
  if (reply.status == 404) reply = http_.get("/config", options_.access.timeout);
  const std::string level = reply.status == 200 ? compatibility_in(reply.body) : std::string();
  if (level.empty() || level == options_.compatibility) return;
  if (told_levels_.size() >= options_.bounds.schemas) told_levels_.clear();
  std::string& told = told_levels_[fetched.subject];
  if (told == level) return;
  told = level;
  host_.log(SLUICE_LOG_WARN, "the schema registry keeps subject " + fetched.subject + " at compatibility " + level +
                                 ", not " + options_.compatibility + ": set it with PUT " + options_.access.url + path);
}

void Registry::write_file() {
  std::string lines;
  {
    const std::lock_guard lock(mutex_);
    is_file_old_ = false;
    cache_.each_schema([&](const std::string& path, const RegisteredSchema& schema) {
      lines += line_of({path, schema.fetched, schema.fetched_unix_s});
    });
  }
  try {
    file_->write(lines);
    if (file_failed_) host_.log(SLUICE_LOG_INFO, "the cache file is written again");
    file_failed_ = false;
  } catch (const std::system_error& error) {
    if (!file_failed_) {
      host_.log(SLUICE_LOG_ERROR, "the cache file cannot be written: " + std::string(error.what()) +
                                      "; a restart while the registry is away would not find the schemas");
    }
    file_failed_ = true;
  }
}

}  // namespace validation
