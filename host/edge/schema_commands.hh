// `sluice schema check`: may this schema become the next version of a subject? A schema registry with Confluent's REST
// API answers.
#pragma once

#include <ostream>
#include <string>

namespace sluice {

struct SchemaCheckOptions {
  std::string file, subject, registry;
  std::string type = "JSON";
  std::string version = "latest";
  std::string user, password_file, token_file;  // who asks; the files hold the secrets
  std::string ca_file;                          // certificates to trust, PEM; empty: the system's
};

/// Prints {"subject":…,"version":…,"compatible":…,"messages":[…]}. Returns 0 compatible, 1 not, 64 wrong command line,
/// a file that cannot be read, or a registry that refuses or does not answer.
[[nodiscard]] int run_schema_check(const SchemaCheckOptions& options, std::ostream& out, std::ostream& err);

}  // namespace sluice
