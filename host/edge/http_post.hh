// One HTTP request with a body, and its answer: for `sluice emit` and `sluice schema check`.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct HttpPost {
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string_view body;
  std::chrono::seconds timeout{10};
  std::string user, password;  // basic authentication; an empty user: none
  std::string ca_file;         // certificates to trust, PEM; empty: the system's
};

struct HttpAnswer {
  enum class Kind { answered, wrong_url, unreachable } kind = Kind::unreachable;
  long status = 0;
  std::string body;   // at most 64 KiB of it
  std::string error;  // why there is no answer
};

/// Blocks until the answer or the timeout. Follows no redirect; checks certificates. http:// and https:// only.
[[nodiscard]] HttpAnswer http_post(const HttpPost& post);

}  // namespace sluice
