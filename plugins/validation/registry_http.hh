// Requests to a schema registry, one at a time over a kept connection. Its .cc is the only file that knows libcurl.
// What it says of an error holds no secret.
#pragma once

#include "registry_answer.hh"
#include "registry_options.hh"

#include <memory>
#include <string>

namespace validation {

class RegistryHttp {
 public:
  explicit RegistryHttp(RegistryAccess access);
  ~RegistryHttp();
  RegistryHttp(const RegistryHttp&) = delete;
  RegistryHttp& operator=(const RegistryHttp&) = delete;

  /// Blocks until the answer is there, `within` is over, or cancel(). At most 3 redirects, never from https to http,
  /// and 8 MiB of answer.
  [[nodiscard]] HttpReply get(const std::string& path, std::chrono::milliseconds within);
  /// From any thread: ends what is under way, and everything later at once.
  void cancel() noexcept;

 private:
  struct Curl;
  std::unique_ptr<Curl> curl_;
};

}  // namespace validation
