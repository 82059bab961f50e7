#include "edge/schema_commands.hh"

#include "core/exit_code.hh"
#include "core/schema_defaults.hh"
#include "edge/http_post.hh"
#include "edge/json_object.hh"
#include "edge/yaml_reader.hh"

#include <fstream>
#include <iterator>
#include <optional>

namespace sluice {
namespace {

constexpr std::size_t kSchemaBytesMax = 1024 * 1024;

/// As a step of a path: whatever is not plain is escaped.
std::string path_step(const std::string& text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

std::optional<std::string> read_schema(const SchemaCheckOptions& options, std::ostream& err) {
  std::ifstream in(options.file, std::ios::binary);
  if (!in) {
    err << "sluice: cannot read " << options.file << '\n';
    return {};
  }
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.size() > kSchemaBytesMax) {
    err << "sluice: " << options.file << " is larger than 1 MiB\n";
    return {};
  }
  return text;
}

}  // namespace

int run_schema_check(const SchemaCheckOptions& options, std::ostream& out, std::ostream& err) {
  const auto schema = read_schema(options, err);
  if (!schema) return kUsage;
  std::string base = options.registry;
  while (!base.empty() && base.back() == '/') base.pop_back();
  JsonText asked;
  {
    const auto object = asked.object();
    asked.member("schema", *schema);
    asked.member("schemaType", options.type);
  }
  HttpPost post;
  post.url = base + "/compatibility/subjects/" + path_step(options.subject) + "/versions/" +
             path_step(options.version) + "?verbose=true";
  post.headers = {"Content-Type: application/vnd.schemaregistry.v1+json",
                  "Accept: application/vnd.schemaregistry.v1+json, application/json"};
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
