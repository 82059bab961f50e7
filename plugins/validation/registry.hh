// The schemas of a registry as events need them: which one, what is known of it, and a thread that fetches.
//
// Threads: the data path calls begin_batch(), find_…() and figures(); what it found it keeps by itself, so that an
// event costs no lock as long as nothing new was fetched. The fetching thread alone talks to the registry and writes
// the file.
#pragma once

#include "cache_file.hh"
#include "registry_http.hh"
#include "registry_options.hh"
#include "schema_cache.hh"

#include <sluice/cpp/event_view.hh>
#include <sluice/cpp/host_view.hh>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

namespace validation {

/// What is known of one schema.
struct Known {
  std::shared_ptr<RegisteredSchema> schema;  // or null, then:
  FetchError failed;
  std::uint64_t fresh_until_ns = 0;
  bool is_asked = false;  // for a fresher one
};

class Registry {
 public:
  /// `waits`: what cannot be fetched for now is waited for even after it has failed.
  Registry(sluice::HostView host, const sluice::ConfigView& config, Draft draft, bool waits);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// Reads the file, and begins to fetch what the configuration names; waits for that, but not for long.
  void start(std::chrono::milliseconds timeout);

  void begin_batch();
  [[nodiscard]] bool reads_frames() const noexcept { return options_.framed; }
  [[nodiscard]] const Known& find_id(std::uint32_t id);
  /// By a dataschema that lies in this registry; null when it does not.
  [[nodiscard]] const Known* find_dataschema(std::string_view dataschema);
  /// By the subject that `subjects` names for its type; null when it names none.
  [[nodiscard]] const Known* find_subject(sluice::EventView event);
  /// By the subject that the template `subject` gives; null when there is none.
  [[nodiscard]] const Known* find_templated(sluice::EventView event);
  /// As a reason calls it when there is no schema: the registry, and what it was asked for last.
  [[nodiscard]] std::string asked() const { return options_.access.url + path_; }
  void figures();

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kAskedMax = 1024;

  const Known& find(std::string_view path);
  const Known& look(const std::string& path);
  void ask(const std::string& path);
  void restore();
  void fetch_all();
  void fetch(const std::string& path);
  void take(const std::string& path, std::shared_ptr<RegisteredSchema> schema);
  void refuse(const std::string& path, const FetchError& error);
  void check_compatibility(const FetchedSchema& fetched);
  void write_file();
  void tell_away(const FetchError& error);

  sluice::HostView host_;
  const RegistryOptions options_;
  const Draft draft_;
  const bool waits_;
  RegistryHttp http_;
  std::optional<CacheFile> file_;

  // Of the data path.
  std::unordered_map<std::string, std::string, TextHash, std::equal_to<>> path_by_type_;
  std::unordered_map<std::string, Known, TextHash, std::equal_to<>> known_;
  Known unknown_;
  std::string path_, subject_;
  std::uint64_t seen_ = 0, now_ns_ = 0;
  bool has_waited_ = false;                         // this lookup
  std::optional<Clock::time_point> patience_ends_;  // of this batch
  std::array<sluice_cell*, 4> lookups_{};
  sluice_cell *age_, *held_;

  // Shared.
  std::mutex mutex_;
  std::condition_variable asked_more_, answered_;
  std::deque<std::string> asked_;
  SchemaCache cache_;
  std::string fetching_;
  bool ends_ = false;
  std::atomic<std::uint64_t> generation_{1};

  // Of the fetching thread.
  std::array<sluice_cell*, kFetchFailures> fetches_{};
  bool is_away_ = false, file_failed_ = false, is_file_old_ = false;
  std::unordered_map<std::string, std::string> told_levels_;
  std::thread thread_;
};

}  // namespace validation
