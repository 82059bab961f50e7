#include "registry_options.hh"

#include "registry_paths.hh"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace validation {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr std::uint64_t kAwayTtlMs = 1000;  // a registry that does not answer is asked again after this

[[noreturn]] void refuse(const std::string& key, const std::string& why) {
  throw sluice::BadConfig("registry/" + key + ": " + why);
}

RegistryAccess access_of(const sluice::ConfigView& config) {
  RegistryAccess access;
  access.url = config.text("registry/url");
  const std::size_t scheme = access.url.find("://");
  const std::string word = access.url.substr(0, std::min(scheme, access.url.size()));
  if (word != "http" && word != "https") refuse("url", "must begin with http:// or https://");
  const std::string rest = access.url.substr(scheme + 3);
  const std::string authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string::npos) {
    refuse("url", "holds a user or a password, which would be shown: give username and password");
  }
  if (authority.empty()) refuse("url", "names no host");
  if (rest.find_first_of("?# ") != std::string::npos) refuse("url", "must end with its path: no ?, # or blank");
  while (access.url.back() == '/') access.url.pop_back();
  access.username = config.text("registry/username");
  access.password = Secret(config, "registry/password");
  access.token = Secret(config, "registry/token");
  if (!access.username.empty() && access.token.given())
    refuse("token", "give username and password, or token, not both");
  if (access.username.empty() && access.password.given()) refuse("password", "needs username");
  access.ca_file = config.text("registry/ca_file");
  if (!access.ca_file.empty() && !std::ifstream(access.ca_file)) {
    refuse("ca_file", access.ca_file + " cannot be read: " + std::strerror(errno));
  }
  access.verify = config.boolean("registry/verify_ssl");
  access.timeout = config.duration("registry/timeout");
  return access;
}

/// orders-value, or orders-value@3.
std::string path_of(const std::string& type, const std::string& said) {
  const std::size_t at = said.rfind('@');
  const bool has_version = at != std::string::npos && is_version(std::string_view(said).substr(at + 1));
  const std::string subject = has_version ? said.substr(0, at) : said;
  if (subject.empty()) refuse("subjects/" + type, "names no subject");
  std::string path;
  subject_path(path, subject, has_version ? said.substr(at + 1) : "latest");
  return path;
}

}  // namespace

RegistryOptions::RegistryOptions(const sluice::ConfigView& config) : access(access_of(config)) {
  for (const auto& [type, said] : config.map("registry/subjects")) subjects.emplace_back(type, path_of(type, said));
  if (const std::string text = config.text("registry/subject"); !text.empty()) {
    subject.emplace(text, "registry/subject");
  }
  framed = config.boolean("registry/framed");
  wait_at_most = config.duration("registry/wait_at_most");
  bounds.schemas = static_cast<std::size_t>(config.integer("registry/max_schemas"));
  bounds.bytes = static_cast<std::size_t>(config.integer("registry/max_bytes"));
  bounds.ttl_ns = static_cast<std::uint64_t>(config.integer("registry/ttl")) * kNsPerMs;
  bounds.negative_ttl_ns = static_cast<std::uint64_t>(config.integer("registry/negative_ttl")) * kNsPerMs;
  bounds.away_ttl_ns = std::min(bounds.negative_ttl_ns, kAwayTtlMs * kNsPerMs);
  cache_file = config.text("registry/cache_file");
  compatibility = config.text("registry/compatibility");
}

}  // namespace validation
