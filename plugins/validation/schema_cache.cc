#include "schema_cache.hh"

namespace validation {

const CacheEntry* SchemaCache::find(std::string_view path, std::uint64_t now_ns) {
  const auto found = entries_.find(path);
  if (found == entries_.end()) return nullptr;
  found->second.last_used_ns = now_ns;
  return &found->second;
}

CacheEntry& SchemaCache::put(const std::string& path, std::shared_ptr<RegisteredSchema> schema, std::uint64_t now_ns) {
  CacheEntry& entry = entries_[path];
  if (entry.schema) {
    bytes_ -= entry.schema->fetched.text.size();
    --schemas_;
  }
  bytes_ += schema->fetched.text.size();
  ++schemas_;
  entry.schema = std::move(schema);
  entry.failed = {};
  entry.last_used_ns = now_ns;
  return entry;
}

void SchemaCache::store(const std::string& path, std::shared_ptr<RegisteredSchema> schema, std::uint64_t now_ns) {
  put(path, std::move(schema), now_ns).fresh_until_ns = now_ns + bounds_.ttl_ns;
  make_room(path);
}

void SchemaCache::restore(const std::string& path, std::shared_ptr<RegisteredSchema> schema, std::uint64_t now_ns) {
  put(path, std::move(schema), now_ns).fresh_until_ns = now_ns;
  make_room(path);
}

void SchemaCache::fail(const std::string& path, FetchError error, std::uint64_t now_ns) {
  CacheEntry& entry = entries_[path];
  if (!entry.schema) entry.last_used_ns = now_ns;
  entry.fresh_until_ns = now_ns + (may_pass(error.failure) ? bounds_.away_ttl_ns : bounds_.negative_ttl_ns);
  entry.failed = std::move(error);
  make_room(path);
}

void SchemaCache::drop(std::map<std::string, CacheEntry, std::less<>>::iterator at) {
  if (at->second.schema) {
    bytes_ -= at->second.schema->fetched.text.size();
    --schemas_;
  }
  entries_.erase(at);
}

/// What holds no schema goes first: somebody who sends ids that do not exist must not push out those that do.
void SchemaCache::make_room(const std::string& spared) {
  while (entries_.size() > 2 * bounds_.schemas || schemas_ > bounds_.schemas || bytes_ > bounds_.bytes) {
    const bool is_schema_too_many = schemas_ > bounds_.schemas || bytes_ > bounds_.bytes;
    auto oldest = entries_.end();
    for (auto at = entries_.begin(); at != entries_.end(); ++at) {
      if (at->first == spared || (at->second.schema != nullptr) != is_schema_too_many) continue;
      if (oldest == entries_.end() || at->second.last_used_ns < oldest->second.last_used_ns) oldest = at;
    }
    if (oldest == entries_.end()) return;
    drop(oldest);
  }
}

void SchemaCache::each_schema(const std::function<void(const std::string& path, const RegisteredSchema&)>& tell) const {
  for (const auto& [path, entry] : entries_) {
    if (entry.schema) tell(path, *entry.schema);
  }
}

}  // namespace validation
