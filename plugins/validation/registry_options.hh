// The keys below `registry:`, read and vetted.
#pragma once

#include "schema_cache.hh"
#include "secret.hh"

#include <sluice/cpp/config_view.hh>
#include <sluice/cpp/template.hh>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace validation {

struct RegistryAccess {
  std::string url;  // without a slash at its end
  std::string username;
  Secret password, token;
  std::string ca_file;
  bool verify = true;
  std::chrono::milliseconds timeout{5000};
};

struct RegistryOptions {
  /// Throws sluice::BadConfig that begins with the key.
  explicit RegistryOptions(const sluice::ConfigView& config);

  RegistryAccess access;
  std::vector<std::pair<std::string, std::string>> subjects;  // path by event type
  std::optional<sluice::Template> subject;
  bool framed = true;
  std::chrono::milliseconds wait_at_most{5000};
  CacheBounds bounds;
  std::string cache_file, compatibility;
};

}  // namespace validation
