#include "edge/schema_commands.hh"

#include "core/exit_code.hh"
#include "core/schema_defaults.hh"
#include "core/setup_error.hh"
#include "edge/http_post.hh"
#include "edge/json_object.hh"
#include "edge/yaml_reader.hh"

#include <sluice/cpp/url_text.hh>

#include <fstream>
#include <iterator>
#include <optional>

namespace sluice {
namespace {

constexpr std::size_t kSchemaBytesMax = 1024 * 1024, kSecretBytesMax = 64 * 1024;

/// Throws SetupError.
std::string read_file(const std::string& path, std::size_t bytes_max, const char* bound) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw SetupError("cannot read " + path, kUsage);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.size() > bytes_max) throw SetupError(path + " is larger than " + bound, kUsage);
  return text;
}

/// A file's only line. Throws SetupError; never says what is in it.
std::string read_secret(const std::string& path) {
  std::string text = read_file(path, kSecretBytesMax, "64 KiB");
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  if (text.empty()) throw SetupError(path + " is empty: a secret was to stand in it", kUsage);
  if (text.find_first_of("\r\n") != text.npos) throw SetupError(path + " holds more than one line", kUsage);
  return text;
}

void log_in(const SchemaCheckOptions& options, HttpPost& post) {
  if (!options.token_file.empty() && !(options.user.empty() && options.password_file.empty())) {
    throw SetupError("--token-file: give it, or --user and --password-file, not both", kUsage);
  }
  if (options.user.empty() && !options.password_file.empty()) {
    throw SetupError("--password-file: whose? Give --user too", kUsage);
  }
  post.user = options.user;
  if (!options.password_file.empty()) post.password = read_secret(options.password_file);
  if (!options.token_file.empty()) {
    post.headers.push_back("Authorization: Bearer " + read_secret(options.token_file));
  }
  post.ca_file = options.ca_file;
}

}  // namespace

int run_schema_check(const SchemaCheckOptions& options, std::ostream& out, std::ostream& err) {
  HttpPost post;
  std::string schema;
  try {
    schema = read_file(options.file, kSchemaBytesMax, "1 MiB");
    log_in(options, post);
  } catch (const SetupError& why) {
    err << "sluice: " << why.what() << '\n';
    return kUsage;
  }
  std::string base = options.registry;
  while (!base.empty() && base.back() == '/') base.pop_back();
  JsonText asked;
  {
    const auto object = asked.object();
    asked.member("schema", schema);
    asked.member("schemaType", options.type);
  }
  post.url = base + "/compatibility/subjects/";
  append_path_step(post.url, options.subject);
  post.url += "/versions/";
  append_path_step(post.url, options.version);
  post.url += "?verbose=true";
  post.headers.push_back("Content-Type: application/vnd.schemaregistry.v1+json");
  post.headers.push_back("Accept: application/vnd.schemaregistry.v1+json, application/json");
  post.body = asked.text();
  const HttpAnswer answer = http_post(post);
  if (answer.kind != HttpAnswer::Kind::answered) {
    err << "sluice: the registry does not answer: " << answer.error << '\n';
    return kUsage;
  }
  Problems ignored;
  const std::optional<Value> said = read_yaml(answer.body, "answer", ignored);  // JSON is YAML, too
  const auto at = [&](const char* key) { return said && said->is_map() ? said->find(key) : nullptr; };
  const Value* compatible = at("is_compatible");
  if (answer.status != 200 || compatible == nullptr || compatible->kind != Value::Kind::boolean) {
    err << "sluice: the registry answers " << answer.status;
    if (const Value* message = at("message")) err << ": " << safe_json_string(message->string);
    if (answer.status == 401 || answer.status == 403) err << "; give --user and --password-file, or --token-file";
    if (answer.status == 404) err << "; is the subject " << options.subject << " there?";
    err << '\n';
    return kUsage;
  }
  const Value* messages = at("messages");
  JsonText told;
  {
    const auto object = told.object();
    told.member("subject", options.subject);
    told.member("version", options.version);
    told.member("compatible", compatible->boolean);
    told.raw("messages", messages == nullptr ? "[]" : to_json(*messages));
  }
  out << told.text() << '\n';
  return compatible->boolean ? kClean : kUndelivered;
}

}  // namespace sluice
