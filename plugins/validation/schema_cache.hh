// Schemas that were fetched, and what could not be fetched, for as long as they may be used. Pure: told the time.
#pragma once

#include "compiled_schema.hh"
#include "registry_answer.hh"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace validation {

struct RegisteredSchema {
  std::string name;  // as a reason calls it
  FetchedSchema fetched;
  std::int64_t fetched_unix_s = 0;
  CompiledSchema compiled;
};

struct CacheBounds {
  std::size_t schemas = 1000;
  std::size_t bytes = 64 * 1024 * 1024;  // of schema texts
  std::uint64_t ttl_ns = 0, negative_ttl_ns = 0, away_ttl_ns = 0;
};

struct CacheEntry {
  std::shared_ptr<RegisteredSchema> schema;  // kept when a later fetch fails
  FetchError failed;                         // what the last fetch said
  std::uint64_t fresh_until_ns = 0;          // then it is asked for again, and used until there is an answer
  std::uint64_t last_used_ns = 0;
};

class SchemaCache {
 public:
  explicit SchemaCache(CacheBounds bounds) : bounds_(bounds) {}

  /// Marks it as used. Null when nothing is known of it.
  [[nodiscard]] const CacheEntry* find(std::string_view path, std::uint64_t now_ns);
  void store(const std::string& path, std::shared_ptr<RegisteredSchema> schema, std::uint64_t now_ns);
  /// As found on disk: used at once, and asked for again.
  void restore(const std::string& path, std::shared_ptr<RegisteredSchema> schema, std::uint64_t now_ns);
  /// What was there stays in use.
  void fail(const std::string& path, FetchError error, std::uint64_t now_ns);

  [[nodiscard]] std::size_t schemas() const noexcept { return schemas_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t entries() const noexcept { return entries_.size(); }
  void each_schema(const std::function<void(const std::string& path, const RegisteredSchema&)>& tell) const;

 private:
  CacheEntry& put(const std::string& path, std::shared_ptr<RegisteredSchema> schema, std::uint64_t now_ns);
  void make_room(const std::string& spared);
  void drop(std::map<std::string, CacheEntry, std::less<>>::iterator at);

  const CacheBounds bounds_;
  std::map<std::string, CacheEntry, std::less<>> entries_;
  std::size_t schemas_ = 0, bytes_ = 0;
};

}  // namespace validation
