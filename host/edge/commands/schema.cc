// sluice schema check.
#include "edge/command_help.hh"
#include "edge/command_syntax.hh"

namespace sluice {

void declare_schema(CommandSyntax& top) {
  CommandSyntax schema = top.command("schema", "Ask a schema registry.", "");
  CommandSyntax check = schema.command("check", "May this schema become a subject's next version?", help::kSchemaCheck);
  SchemaCheckOptions& asked = check.makes<SchemaCheckCommand>().options;
  check.option("FILE", asked.file, "The schema").required();
  check.option("--subject", asked.subject, "The subject").shown_as("NAME").required();
  check.option("--registry", asked.registry, "The registry")
      .shown_as("URL")
      .required()
      .from_environment("SCHEMA_REGISTRY_URL");
  check.option("--version", asked.version, "Against this version of it, a number or latest").shown_as("VERSION");
  check.option("--user", asked.user, "Who asks").shown_as("NAME");
  check.option("--password-file", asked.password_file, "A file with the password").shown_as("FILE");
  check.option("--token-file", asked.token_file, "Instead: a file with a bearer token").shown_as("FILE");
  check.option("--ca", asked.ca_file, "Certificates to trust (PEM) instead of the system's").shown_as("FILE");
  check.option("--type", asked.type, "JSON, AVRO or PROTOBUF").one_of({"JSON", "AVRO", "PROTOBUF"});
}

}  // namespace sluice
