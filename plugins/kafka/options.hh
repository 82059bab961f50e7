// What source and backend were told, as the library's properties and as our own settings. The schema has seen to types,
// bounds and defaults.
#pragma once

#include "client.hh"
#include "headers.hh"

#include <sluice/cpp/config_view.hh>
#include <sluice/cpp/template.hh>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace kafka {

enum class Key { none, subject, partitionkey };

struct BackendOptions {
  Properties properties;
  sluice::Template topic;
  Key key = Key::subject;
  bool binary = false;                   // content_mode
  std::chrono::milliseconds patience{};  // for an answer to "is anybody there"
  std::uint64_t max_message_bytes = 0;
  std::string servers;  // for texts
};

struct SourceOptions {
  Properties properties;
  std::vector<std::string> topics;
  bool stop_at_end = false;
  bool delete_read = false;
  Leniency leniency;  // content_mode, accept_batches
  std::chrono::milliseconds commit_interval{}, rebalance_wait{}, redeliver_after{}, redeliver_after_max{}, patience{};
  std::string servers, group;
  std::uint64_t prefetch_messages = 0, prefetch_bytes = 0;
};

/// Both throw sluice::BadConfig; the library has been asked about every property then.
[[nodiscard]] BackendOptions read_backend_options(sluice::ConfigView config);
[[nodiscard]] SourceOptions read_source_options(sluice::ConfigView config);

}  // namespace kafka
